"""Gathers every slice's admin module for Django's autodiscovery."""

from stewardship.access import admin as access
from stewardship.actions import admin as actions
from stewardship.coverage import admin as coverage
from stewardship.documents import admin as documents
from stewardship.dossiers import admin as dossiers
from stewardship.escalation import admin as escalation
from stewardship.frameworks import admin as frameworks
from stewardship.inventory import admin as inventory
from stewardship.journal import admin as journal
from stewardship.notices import admin as notices
from stewardship.people import admin as people
from stewardship.regions import admin as regions
from stewardship.roles import admin as roles
from stewardship.signing import admin as signing
from stewardship.threads import admin as threads
