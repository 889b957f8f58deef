"""Fills the registries of the floors below once every model is loaded."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = _("Governance")

    def ready(self) -> None:
        """Registrations only: no queries, no signals' side effects."""
        self._rules()
        self._audits()
        self._portfolio()

    def _portfolio(self) -> None:
        """Inbox, cockpit, portfolio, palette: the slice's own wiring."""
        from governance.portfolio import wiring

        wiring.wire()

    def _audits(self) -> None:
        """Reports: the slice's own wiring."""
        from governance.audits import wiring

        wiring.wire()

    def _rules(self) -> None:
        """Policies, risk, evidence: each slice's own wiring."""
        from governance.evidence import wiring as evidence
        from governance.policies import wiring as policies
        from governance.risk import wiring as risk

        for slice_ in (policies, risk, evidence):
            slice_.wire()

        self._changes()

    def _changes(self) -> None:
        """Changes, approvals, gate: rights, what follows from a move, what notices and escalations lead to."""

        from governance.approvals import advance, subjects, submit
        from governance.approvals import chores as approval_chores  # noqa: F401 - importing registers the chores
        from governance.approvals.rights import DecisionRight, RouteRight
        from governance.changes import hooks, origin, watch
        from governance.changes.rights import ChangeRight
        from governance.evidence import hooks as evidence
        from governance.gate import chores as gate_chores  # noqa: F401 - importing registers the chores
        from governance.gate import standing
        from governance.gate.rights import StandingRight, VerdictRight
        from governance.policies import hooks as policies
        from monitoring.alerts.hooks import on_open
        from stewardship.access.rights import register
        from stewardship.coverage import needed
        from stewardship.escalation import subjects as escalations
        from stewardship.notices import causes

        for rights in (ChangeRight, RouteRight, DecisionRight, VerdictRight, StandingRight):
            register(rights)
        hooks.register_edited_in_review(submit.start_over)
        hooks.register_moved(advance.on_moved)
        hooks.register_moved(standing.on_moved)
        hooks.register_moved(watch.on_moved)
        evidence.register(submit.around_new_evidence)
        policies.on_change(standing.on_policies_changed)
        on_open(origin.on_alert)
        needed.register(subjects.needed_roles)
        causes.register("approval", still_wanted=subjects.still_asked, link=subjects.link_of_requirement)
        causes.register("change", still_wanted=causes.always, link=subjects.link_of_change)
        escalations.register("approval", label=_("Overdue approval"), link=subjects.link_of_requirement, wanted=subjects.still_asked)
        self._shown()

    def _shown(self) -> None:
        """What changes and the gate put into the shell."""

        from config.portal import registry
        from governance.approvals import waiting
        from governance.changes import find, panels
        from governance.changes.rights import ChangeRight

        registry.nav.register("Changes", _("Changes"), "change_list", ChangeRight.VIEW, rows=waiting.rows, order=10, icon="change")
        registry.search.register("change", _("Changes"), find.find)
        registry.inbox.register(waiting.inbox)
        registry.panels.register("alert:aside", 10, ChangeRight.VIEW, panels.of_alert, panels.OF_ALERT)
