"""Fills the registries of the floors below once every model is loaded."""

from enum import StrEnum
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class StewardshipConfig(AppConfig):
    name = "stewardship"
    verbose_name = _("Stewardship")

    def ready(self) -> None:
        """Registrations only: no queries, no signals' side effects."""
        from config.portal.acting import install
        from stewardship.journal.acting import acting

        install(acting)

        from stewardship.access import rights
        from stewardship.journal import wiring as journal
        from stewardship.journal.rights import EntryRight, ProofRight

        journal.wire(self)
        rights.register(EntryRight)
        rights.register(ProofRight)

        self._who()
        self._calls()
        self._documents()
        self._dossiers()

    def _who(self) -> None:
        """Regions, people, access, inventory, roles: rights, scopes, the answer to every question of permission."""
        from config.portal import permission
        from stewardship.access import grants, reach, rights, scopes
        from stewardship.frameworks.rights import FrameworkRight
        from stewardship.inventory.models import FamilyGrant, ModelGrant
        from stewardship.inventory.rights import DeploymentRight, ModelRight, VersionRight
        from stewardship.people import changes, passing, schema  # noqa: F401 - importing describes the tokens to OpenAPI
        from stewardship.people.rights import PersonRight, TokenRight
        from stewardship.regions.rights import RegionRight
        from stewardship.roles import granting
        from stewardship.roles import passing as passed_roles
        from stewardship.roles.rights import AssignmentRight, RoleRight

        enums: tuple[type[StrEnum], ...] = (
            *(RegionRight, PersonRight, TokenRight, ModelRight, VersionRight, DeploymentRight),
            *(RoleRight, AssignmentRight, FrameworkRight),
        )
        for names in enums:
            rights.register(names)
        scopes.register("family", FamilyGrant)
        scopes.register("model", ModelGrant)
        grants.register_source(granting.specs)
        changes.on_change(granting.rebuild_people)
        passing.check_with(passed_roles.check)
        passing.outreach_with(reach.outreaches)
        rights.explain_with(granting.who_can)
        permission.install(reach.predicate)
        self._pages_of_who()
        post_migrate.connect(_begin, sender=self, dispatch_uid="stewardship.who")

    def _pages_of_who(self) -> None:
        """The register in the sidebar and the palette; who holds which role on a model's page."""
        from config.portal import registry
        from stewardship.access import reach
        from stewardship.inventory import pages as inventory
        from stewardship.inventory.rights import ModelRight
        from stewardship.roles import pages as roles
        from stewardship.roles.rights import AssignmentRight

        registry.require_second_factor(reach.needs_second_factor)
        registry.nav.register("Models", _("Models"), "model_list", ModelRight.VIEW, order=10, icon="model")
        registry.search.register("model", _("Models"), inventory.find_models)
        registry.search.register("family", _("Families"), inventory.find_families)
        registry.commands.register(_("Register a model"), "register_model", ModelRight.REGISTER)
        registry.panels.register("model:people", 10, AssignmentRight.VIEW, roles.people_panel, "stewardship/roles/_people.html")

    def _calls(self) -> None:
        """Notices, escalation, signing, threads, actions, coverage: each slice's own wiring."""
        from stewardship.actions import wiring as actions
        from stewardship.coverage import wiring as coverage
        from stewardship.escalation import wiring as escalation
        from stewardship.notices import wiring as notices
        from stewardship.signing import wiring as signing
        from stewardship.threads import wiring as threads

        for slice_ in (escalation, notices, signing, threads, actions, coverage):
            slice_.wire()

    def _documents(self) -> None:
        """Files and jobs: rights, and the chore that takes up what a dead worker left."""
        from config.portal.tick import chore
        from stewardship.access import rights
        from stewardship.documents import tasks
        from stewardship.documents.rights import BlobRight, JobRight

        rights.register(BlobRight)
        rights.register(JobRight)
        chore("jobs of dead workers", every=5)(tasks.requeue)

    def _dossiers(self) -> None:
        """Dossiers: rights, and what this floor knows of a model."""
        from stewardship.dossiers import wiring

        wiring.wire()


def _begin(using: str = "default", **kwargs: Any) -> None:
    """After a migration or a flush: the system account and one Permission row per right and scope."""
    from stewardship.access.grants import ensure_permissions
    from stewardship.people.birth import ensure_system_user
    from stewardship.people.models import User

    if User._meta.db_table not in connections[using].introspection.table_names():
        return  # only other apps have been migrated yet, or ours has been undone
    ensure_system_user(using)
    ensure_permissions()
