"""Alerts: which there are, and one of them with what is wrong, since when, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.portal.chips import Chip
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage, rendered_panels
from config.portal.tables import Column, Filter, Table
from monitoring.alerts import pictures, story
from monitoring.alerts.card import card
from monitoring.alerts.forms import InvestigateForm, ResolveForm
from monitoring.alerts.models import BY_PEOPLE, TRANSITIONS, Alert, Status
from monitoring.alerts.rights import AlertRight
from monitoring.signals.models import Window
from monitoring.thresholds.models import LevelChoice
from monitoring.thresholds.rules import Level
from stewardship.access import require
from stewardship.access.reach import tree_of
from stewardship.escalation import story as escalation
from stewardship.inventory.models import RegisteredModel
from stewardship.inventory.rights import ModelRight
from stewardship.regions.listing import region_filter
from stewardship.regions.panels import region_chips

FEW = 100


def _models(request: HttpRequest) -> Iterable[tuple[Any, str]]:
    alerted = Alert.objects.allowed(request.user, AlertRight.VIEW).values("model")
    return RegisteredModel.objects.allowed(request.user, ModelRight.VIEW).filter(pk__in=alerted).values_list("slug", "name")[:FEW]


def _by_status(rows: Any, value: str) -> Any:
    return rows.unresolved() if value == "unresolved" else rows.filter(status=value)


class AlertTable(Table):
    """Alerts, the newest first."""

    caption = _("Alerts")
    columns = (
        Column("title", _("What is wrong"), link=lambda alert: alert.get_absolute_url(), wide=True),
        Column("level", _("Level"), value=story.level_chip),
        Column("status", _("Status"), value=story.status_chip),
        Column("model", _("Model"), value="model__name"),
        Column("region", _("Region"), value="region__name"),
        Column("opened_at", _("Opened"), order="opened_at"),
    )
    filters = (
        Filter("status", _("Status"), choices=[("unresolved", _("not resolved")), *Status.choices], apply=_by_status),
        Filter("level", _("Level"), choices=LevelChoice.choices),
        region_filter(AlertRight.VIEW),
        Filter("model", _("Model"), choices=_models, lookup="model__slug"),
    )
    search = ("title__icontains",)
    ordering = ("-opened_at",)
    empty = _("No alerts. One opens when a value leaves its bounds, a monitoring service reports something, or expected data do not come.")


class AlertList(ListPage):
    """Every alert this person may see; the title counts those that nobody has taken on."""

    model = Alert
    right = AlertRight.VIEW
    table = AlertTable

    def get_title(self) -> str:
        waiting = Alert.objects.allowed(self.request.user, AlertRight.VIEW).unacknowledged().count()
        if not waiting:
            return str(_("No alert waits for anybody"))
        return ngettext("%(n)d alert waits for somebody", "%(n)d alerts wait for somebody", waiting) % {"n": waiting}

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("model", "region")


VERBS = {"may_acknowledge": AlertRight.ACKNOWLEDGE, "may_investigate": AlertRight.INVESTIGATE, "may_resolve": AlertRight.RESOLVE}


class AlertDetail(ObjectPage):
    """The answer first, then the card, the chart, and what happened."""

    model = Alert
    right = AlertRight.VIEW
    select_related = ("model", "region", "version", "environment", "series__metric", "rule", "source", "acknowledged_by")
    template_name = "monitoring/alerts/alert_page.html"

    def get_queryset(self) -> Any:
        """With what the person may do about it, all in the statement that finds it."""
        user = self.request.user

        def may(right: str) -> Exists:
            return Exists(Alert.objects.allowed(user, right).filter(pk=OuterRef("pk")))

        rights = {name: may(right) for name, right in VERBS.items()}
        return super().get_queryset().annotate(**rights)

    def get_title(self) -> str:
        return f"{self.object.get_level_display()}: {self.object.title}"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Alerts"), reverse("alert_list"))]

    def get_chips(self) -> Iterable[Chip]:
        alert = self.object
        yield story.level_chip(alert)
        yield story.status_chip(alert)
        yield from region_chips(alert.region)
        if alert.episode > 1:
            yield Chip(_("Episode %(n)d") % {"n": alert.episode})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        alert, user = self.object, self.request.user
        run = story.run_of(alert, user)
        if run is not None:
            run.region.learn_way(tree_of(user))
        told = escalation.tell(run, timezone.now()) if run is not None else None
        here = TRANSITIONS[Status(alert.status)]
        judged = alert.resolution in BY_PEOPLE
        windows = pictures.newest([alert.series]).get(alert.series_id, []) if alert.series else []
        return super().get_context_data(
            answer=story.answer(alert, run, told),
            due=told.next_due if told is not None and alert.status == Status.OPEN else None,
            run=run,
            chart=self._chart(windows),
            card=card(alert, user, windows[-1] if windows else None),
            events=story.events(alert, told),
            may_acknowledge=Status.ACKNOWLEDGED in here and alert.may_acknowledge,
            may_investigate=Status.INVESTIGATING in here and alert.may_investigate,
            may_resolve=not judged and alert.may_resolve,
            investigate_form=InvestigateForm(auto_id="investigate_%s"),
            resolve_form=ResolveForm(auto_id="resolve_%s"),
            aside=[
                render_to_string(panel["template"], panel["context"], self.request)
                for panel in rendered_panels(self.request, "alert:aside", alert)
            ],
            **kwargs,
        )

    def _chart(self, windows: list[Window]) -> Any:
        alert = self.object
        if alert.series is None:
            return None
        bands = pictures.bands_of(alert.context.get("judged_by", {}))
        return pictures.chart(alert.series, windows, bands, level=Level(alert.level) if bands else None)


class AlertAction(ActionPage):
    """A verb on an alert: who may see it and not do this is told so, not shown a 404."""

    abstract = True
    model = Alert
    right = AlertRight.VIEW
    verb: ClassVar[str] = ""

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        require(request.user, self.verb, self.object)

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Alerts"), reverse("alert_list")), Crumb(self.object.title, self.object.get_absolute_url())]


class AlertAcknowledge(AlertAction):
    """Take it on."""

    verb = AlertRight.ACKNOWLEDGE
    title = _("Acknowledge: I take this on")
    submit_label = _("Acknowledge")
    success = _("You have taken it on. Nobody else is called.")
    form_class = forms.Form

    def submit(self, form: Any) -> str:
        self.object.acknowledge(actor=self.request.user)
        return str(self.object.get_absolute_url())


class AlertInvestigate(AlertAction):
    """Open an investigation."""

    verb = AlertRight.INVESTIGATE
    title = _("Start an investigation")
    submit_label = _("Start the investigation")
    success = _("The investigation is open. Nobody else is called.")
    form_class = InvestigateForm

    def submit(self, form: Any) -> str:
        self.object.investigate(actor=self.request.user, reason=form.cleaned_data["reason"])
        return str(self.object.get_absolute_url())


class AlertResolve(AlertAction):
    """Say what it was."""

    verb = AlertRight.RESOLVE
    title = _("Resolve: say what it was")
    submit_label = _("Resolve")
    success = _("Resolved.")
    form_class = ResolveForm

    def submit(self, form: Any) -> str:
        self.object.resolve(actor=self.request.user, outcome=form.cleaned_data["outcome"], reason=form.cleaned_data["reason"])
        return str(self.object.get_absolute_url())
