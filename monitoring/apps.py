"""Fills the registries of the floors below once every model is loaded."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Registrations only: no queries, no signals' side effects."""
        from config.portal.tick import chore
        from monitoring.alerts import answered, silence
        from monitoring.alerts.models import SUBJECT, is_wanted, link
        from monitoring.alerts.rights import AlertRight
        from monitoring.signals.rights import SeriesRight, SignalRight, SourceRight
        from monitoring.thresholds.rights import RuleRight
        from stewardship.access import rights
        from stewardship.escalation import subjects

        for names in (SourceRight, SeriesRight, SignalRight, RuleRight, AlertRight):
            rights.register(names)
        subjects.register(SUBJECT, label=_("Alert"), link=link, wanted=is_wanted)
        chore("series that went silent", every=5)(silence.sweep)
        chore("alerts answered on their escalation", every=2)(answered.sweep)
        self._portal()

    def _portal(self) -> None:
        """What the shell and the pages of others show of this floor."""
        from config.portal.registry import inbox, nav, panels, search
        from monitoring.alerts import panels as parts
        from monitoring.alerts.rights import AlertRight
        from monitoring.signals.rights import SeriesRight, SourceRight

        nav.register("Monitoring", _("Alerts"), "alert_list", AlertRight.VIEW, rows=parts.waiting_alerts, order=10, icon="alert")
        nav.register(
            "Monitoring", _("Quarantine"), "quarantine_list", SourceRight.VIEW, rows=parts.waiting_quarantine, order=40, icon="signal"
        )
        search.register("alert", _("Alerts"), parts.search)
        inbox.register(parts.mine)
        panels.register("model:monitoring", 10, SeriesRight.VIEW, parts.monitoring, "monitoring/alerts/_model_monitoring.html")
