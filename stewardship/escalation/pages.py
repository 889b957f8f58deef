"""The pages of this slice: which escalations there are, and one of them with what can be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import CharField, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage
from config.portal.tables import Column, Filter, Table
from stewardship.access import require
from stewardship.access.reach import tree_of
from stewardship.escalation import by_hand, story, subjects
from stewardship.escalation.errors import UnknownSubject
from stewardship.escalation.forms import ReasonForm
from stewardship.escalation.models import TRANSITIONS, Run, Status
from stewardship.escalation.rights import RunRight
from stewardship.people.models import User


def _held(user: Any, run: Run, *rights: RunRight) -> set[str]:
    """Which of these rights the person holds on this run, asked in one query."""
    first, *rest = (
        Run.objects.allowed(user, right).filter(pk=run.pk).order_by().values_list(Value(str(right), CharField()), flat=True)
        for right in rights
    )
    return set(first.union(*rest))


class RunTable(Table):
    """Escalations, the newest first."""

    caption = _("Escalations")
    columns = (
        Column("label", _("What happened"), link=lambda run: run.get_absolute_url(), wide=True),
        Column("status", _("Status"), value=lambda run: Chip(run.get_status_display(), run.tone)),
        Column("level", _("Level")),
        Column("region", _("Region"), value="region__name"),
        Column("model", _("Model"), value=lambda run: run.model.name if run.model else ""),
        Column("started_at", _("Started"), order="started_at"),
    )
    filters = (Filter("status", _("Status"), choices=Status.choices),)
    search = ("label__icontains",)
    ordering = ("-started_at",)
    empty = _("Nobody has been called yet. An escalation starts when an alert, a late decision or a gap needs a person.")


class RunList(ListPage):
    """Every escalation this person may see."""

    model = Run
    right = RunRight.VIEW
    title = _("Escalations")
    table = RunTable

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("region", "model")


class RunDetail(ObjectPage):
    """Who was called, who is next and when; acknowledge, call on, stop."""

    model = Run
    right = RunRight.VIEW
    select_related = ("region", "model", "answered_by")
    template_name = "stewardship/escalation/run_page.html"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Escalations"), reverse("run_list"))]

    def get_chips(self) -> Iterable[Chip]:
        run = self.object
        yield Chip(run.get_status_display(), run.tone)
        if run.level:
            yield Chip(run.level)
        yield Chip(run.region.name, is_name=True)
        if run.model:
            yield Chip(run.model.name, is_name=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        run, user = self.object, self.request.user
        run.region.learn_way(tree_of(user))
        here = TRANSITIONS[Status(run.status)]
        held = _held(user, run, RunRight.ACKNOWLEDGE, RunRight.ESCALATE, RunRight.STOP)
        return super().get_context_data(
            story=story.tell(run, timezone.now()),
            subject=self._subject(),
            may_acknowledge=Status.ACKNOWLEDGED in here and RunRight.ACKNOWLEDGE in held,
            may_escalate=Status.RUNNING in here and RunRight.ESCALATE in held,
            may_stop=Status.STOPPED in here and RunRight.STOP in held,
            reason_form=ReasonForm(auto_id="escalate_%s"),
            stop_form=ReasonForm(auto_id="stop_%s"),
            **kwargs,
        )

    def _subject(self) -> dict[str, Any] | None:
        try:
            found = subjects.find(self.object.subject_kind)
        except UnknownSubject:  # its slice is not installed any more; the run stays readable
            return None
        return {"label": found.label, "url": found.link(self.object.subject_id)}


class RunAction(ActionPage):
    """A verb on a run: who may see the run and not do this is told so, not shown a 404."""

    abstract = True
    model = Run
    right = RunRight.VIEW
    verb: ClassVar[str] = ""
    form_class: ClassVar[type[forms.BaseForm]] = ReasonForm

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        require(request.user, self.verb, self.object)

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Escalations"), reverse("run_list")), Crumb(self.object.label, self.object.get_absolute_url())]


class RunAcknowledge(RunAction):
    """Take it on."""

    verb = RunRight.ACKNOWLEDGE
    title = _("Acknowledge: I take this on")
    submit_label = _("Acknowledge")
    success = _("You have taken it on. Nobody else is called.")
    form_class = forms.Form

    def submit(self, form: Any) -> str:
        self.object.acknowledge(actor=self.request.user)
        return str(self.object.get_absolute_url())


class RunEscalate(RunAction):
    """Call the next step now."""

    verb = RunRight.ESCALATE
    title = _("Call the next person now")
    submit_label = _("Call now")
    success = _("Called.")

    def submit(self, form: Any) -> str:
        user: User = self.request.user  # type: ignore[assignment]  # signed in, says dispatch()
        by_hand.escalate(self.object, actor=user, reason=form.cleaned_data["reason"])
        return str(self.object.get_absolute_url())


class RunStop(RunAction):
    """Send everybody away."""

    verb = RunRight.STOP
    title = _("Stop this escalation")
    submit_label = _("Stop")
    success = _("Stopped. Nobody else is called.")
    danger = True

    def submit(self, form: Any) -> str:
        self.object.stop(actor=self.request.user, reason=form.cleaned_data["reason"])
        return str(self.object.get_absolute_url())
