"""Policies and their versions, the evaluations made with them, and exceptions from them."""

from __future__ import annotations

from governance.policies.models.evaluation import Evaluation as Evaluation
from governance.policies.models.evaluation import Verdict as Verdict
from governance.policies.models.policy import TRANSITIONS as TRANSITIONS
from governance.policies.models.policy import Policy as Policy
from governance.policies.models.policy import PolicyVersion as PolicyVersion
from governance.policies.models.policy import Status as Status
from governance.policies.models.rule import Rule as Rule
from governance.policies.models.rule import Severity as Severity
from governance.policies.models.waiver import Waiver as Waiver
