"""Re-exports every slice's models for Django; code imports the slice modules."""

from governance.approvals.models import Decision as Decision
from governance.approvals.models import Requirement as Requirement
from governance.approvals.models import Route as Route
from governance.approvals.models import RouteRule as RouteRule
from governance.approvals.models import Stage as Stage
from governance.audits.models import Report as Report
from governance.changes.looks import LastLook as LastLook
from governance.changes.models import ChangeRequest as ChangeRequest
from governance.changes.models import ChangeRevision as ChangeRevision
from governance.changes.models import Counter as Counter
from governance.changes.models import RollbackPlan as RollbackPlan
from governance.evidence.models import Artifact as Artifact
from governance.gate.models import Permit as Permit
from governance.gate.models import Standing as Standing
from governance.gate.models import Verdict as Verdict
from governance.policies.models import Evaluation as Evaluation
from governance.policies.models import Policy as Policy
from governance.policies.models import PolicyVersion as PolicyVersion
from governance.policies.models import Rule as Rule
from governance.policies.models import Waiver as Waiver
from governance.risk.models import Assessment as Assessment
from governance.risk.models import Questionnaire as Questionnaire
