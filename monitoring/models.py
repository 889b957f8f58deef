"""Re-exports every slice's models for Django; code imports the slice modules."""

from monitoring.alerts.models import Alert as Alert
from monitoring.signals.models import Batch as Batch
from monitoring.signals.models import Metric as Metric
from monitoring.signals.models import Quarantined as Quarantined
from monitoring.signals.models import Series as Series
from monitoring.signals.models import Source as Source
from monitoring.signals.models import Verdict as Verdict
from monitoring.signals.models import Window as Window
from monitoring.thresholds.models import Override as Override
from monitoring.thresholds.models import Rule as Rule
from monitoring.thresholds.models import Track as Track
