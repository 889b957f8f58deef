"""What is to be done, by whom, until when; and the verbs on one action."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.pages import ActionPage, Crumb, FormPage, ListPage, ObjectPage, PageAction
from config.portal.permission import holds
from config.portal.tables import Column, Filter, Table
from stewardship.access import allowed_to
from stewardship.actions.forms import EvidenceForm, OpenForm
from stewardship.actions.models import TRANSITIONS, Action, Status
from stewardship.actions.open import open_action
from stewardship.actions.rights import ActionRight
from stewardship.escalation.forms import ReasonForm


def _late(action: Action) -> Chip:
    if action.status == Status.OPEN and action.due_at < timezone.now():
        return Chip(_("Overdue"), "act")
    return Chip(action.get_status_display(), action.tone)  # type: ignore[arg-type]  # one of the tones


def _overdue(rows: Any, value: str) -> Any:
    return rows.overdue(timezone.now())


class ActionTable(Table):
    """Actions, those due first at the top."""

    caption = _("Actions")
    columns = (
        Column("title", _("What"), link=lambda action: reverse("action_detail", args=[action.pk]), wide=True),
        Column("status", _("Status"), value=_late),
        Column("owner", _("Owner"), value=lambda action: str(action.owner)),
        Column("due_at", _("Due"), order="due_at"),
        Column("region", _("Region"), value="region__name"),
    )
    filters = (
        Filter("status", _("Status"), choices=Status.choices),
        Filter("late", _("Due"), choices=[("yes", _("Overdue"))], apply=_overdue),
    )
    search = ("title__icontains",)
    ordering = ("due_at",)
    empty = _("There is nothing to do. Actions come out of reviews, alerts and decisions.")


class ActionList(ListPage):
    """The actions this person may see; their own always."""

    model = Action
    right = ActionRight.VIEW
    table = ActionTable

    def get_title(self) -> str:
        waiting = Action.objects.waiting_for(self.request.user).count()  # type: ignore[arg-type]  # signed in, says dispatch()
        return (
            ngettext("%(n)d action waits for you", "%(n)d actions wait for you", waiting) % {"n": waiting}
            if waiting
            else gettext("No action waits for you")
        )

    def get_actions(self) -> Iterable[PageAction]:
        if holds(self.request.user, ActionRight.OPEN):
            yield PageAction(_("New action"), reverse("action_new"), primary=True)

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("region", "owner")


class ActionDetail(ObjectPage):
    """One action: who must do what until when, and what comes next."""

    model = Action
    right = ActionRight.VIEW
    select_related = ("owner", "verifier", "region", "model", "done_by")
    template_name = "stewardship/actions/action_page.html"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Actions"), reverse("action_list"))]

    def get_chips(self) -> Iterable[Chip]:
        yield _late(self.object)
        yield Chip(self.object.region.name, is_name=True)
        if self.object.model:
            yield Chip(self.object.model.name, is_name=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        action, user = self.object, self.request.user
        here = TRANSITIONS[Status(action.status)]
        return super().get_context_data(
            facts=[
                (_("Owner"), str(action.owner)),
                (_("Due"), action.due_at),
                (_("Verified by"), str(action.verifier) if action.verifier else ""),
                (_("Came from"), action.origin_label),
                (_("Done"), action.done_at),
                (_("Done by"), str(action.done_by) if action.done_by else ""),
                (_("Verified"), action.verified_at),
            ],
            may_complete=Status.DONE in here and allowed_to(user, ActionRight.CLOSE, action),
            may_verify=Status.VERIFIED in here
            and user.pk not in (action.owner_id, action.done_by_id)
            and allowed_to(user, ActionRight.VERIFY, action),
            may_reopen=Status.OPEN in here and allowed_to(user, ActionRight.VERIFY, action),
            may_cancel=Status.CANCELLED in here and allowed_to(user, ActionRight.OPEN, action.model or action.region),
            evidence_form=EvidenceForm(),
            **kwargs,
        )


class ActionVerb(ActionPage):
    """A verb on an action; the verb itself asks for its right."""

    abstract = True
    model = Action
    right = ActionRight.VIEW
    form_class: ClassVar[type[forms.BaseForm]] = ReasonForm

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Actions"), reverse("action_list")), Crumb(self.object.title, reverse("action_detail", args=[self.object.pk]))]

    def submit(self, form: Any) -> str:
        self.act(**form.cleaned_data)
        return reverse("action_detail", args=[self.object.pk])

    def act(self, **fields: Any) -> None:
        """Call the verb with what the form holds."""
        raise NotImplementedError


class ActionComplete(ActionVerb):
    """It is done."""

    title = submit_label = _("Mark as done")
    success = _("Done. Somebody else verifies it.")
    form_class = EvidenceForm

    def act(self, **fields: Any) -> None:
        self.object.complete(actor=self.request.user, **fields)


class ActionVerify(ActionVerb):
    """It is done indeed."""

    title = submit_label = _("Verify")
    success = _("Verified.")
    form_class = forms.Form

    def act(self, **fields: Any) -> None:
        self.object.verify(actor=self.request.user)


class ActionReopen(ActionVerb):
    """It is not done."""

    title = submit_label = _("Reopen")
    success = _("Open again.")

    def act(self, **fields: Any) -> None:
        self.object.reopen(actor=self.request.user, **fields)


class ActionCancel(ActionVerb):
    """It need not be done."""

    title = submit_label = _("Cancel this action")
    success = _("Cancelled.")
    danger = True

    def act(self, **fields: Any) -> None:
        self.object.cancel(actor=self.request.user, **fields)


class ActionNew(FormPage):
    """Give somebody something to do."""

    right = ActionRight.OPEN
    title = _("New action")
    submit_label = _("Open the action")
    success = _("The action is open, and its owner knows.")
    form_class = OpenForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Actions"), reverse("action_list"))]

    def submit(self, form: Any) -> str:
        action = open_action(actor=self.request.user, **form.cleaned_data)  # type: ignore[arg-type]  # signed in, says dispatch()
        return reverse("action_detail", args=[action.pk])
