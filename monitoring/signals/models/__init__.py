"""Where facts come from, what they measure, the facts themselves, and those that nobody could place."""

from __future__ import annotations

from monitoring.signals.models.facts import Batch, Series, Verdict, Window, replaced
from monitoring.signals.models.quarantine import Quarantined
from monitoring.signals.models.sources import Metric, Source

__all__ = ["Batch", "Metric", "Quarantined", "Series", "Source", "Verdict", "Window", "replaced"]
