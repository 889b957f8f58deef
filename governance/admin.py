"""Gathers every slice's admin module for Django's autodiscovery."""

from governance.approvals import admin as approvals
from governance.audits import admin as audits
from governance.changes import admin as changes
from governance.evidence import admin as evidence
from governance.gate import admin as gate
from governance.policies import admin as policies
from governance.risk import admin as risk
