"""Facts that nobody could place: see them, place them, dismiss them. Here, because a placed fact is judged at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.portal.chips import Chip, Tone
from config.portal.pages import ActionPage, Crumb, ListPage
from config.portal.tables import Column, Filter, Table
from monitoring.alerts.receive import place
from monitoring.signals.forms import DismissForm, PlaceForm
from monitoring.signals.models import Quarantined, Source
from monitoring.signals.models.quarantine import Status
from monitoring.signals.quarantine import dismiss
from monitoring.signals.rights import SourceRight
from stewardship.access import require

TONES: dict[str, Tone] = {Status.WAITING: "watch", Status.PLACED: "good", Status.DISMISSED: "neutral"}


def _open(item: Any) -> str | None:
    return reverse("quarantine_place", args=[item.pk]) if item.status == Status.WAITING and item.may_place else None


class QuarantineTable(Table):
    """Facts in quarantine, the newest first."""

    caption = _("Signals in quarantine")
    columns = (
        Column("problem", _("Why"), link=_open, wide=True),
        Column("status", _("Status"), value=lambda item: Chip(item.get_status_display(), TONES[item.status])),
        Column("field", _("Not known")),
        Column("source", _("Source"), value="source__name"),
        Column("external_id", _("Identity there"), mono=True),
        Column("received_at", _("Received"), order="received_at"),
    )
    filters = (Filter("status", _("Status"), choices=Status.choices),)
    search = ("problem__icontains", "external_id__icontains")
    ordering = ("-received_at",)
    empty = _("Nothing is in quarantine: everything that was sent could be placed.")


class QuarantineList(ListPage):
    """What was sent and could not be placed."""

    model = Quarantined
    right = SourceRight.VIEW
    table = QuarantineTable

    def get_title(self) -> str:
        waiting = Quarantined.objects.allowed(self.request.user, SourceRight.VIEW).waiting().count()
        if not waiting:
            return str(_("Every signal could be placed"))
        return ngettext("%(n)d signal could not be placed", "%(n)d signals could not be placed", waiting) % {"n": waiting}

    def get_queryset(self) -> Any:
        may = Source.objects.allowed(self.request.user, SourceRight.CONFIGURE).filter(pk=OuterRef("source"))
        return super().get_queryset().select_related("source").annotate(may_place=Exists(may))


class QuarantineAction(ActionPage):
    """A verb on a fact in quarantine."""

    abstract = True
    model = Quarantined
    right = SourceRight.VIEW
    select_related = ("source",)
    template_name = "monitoring/signals/quarantine_page.html"

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        require(request.user, SourceRight.CONFIGURE, self.object.source)

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Quarantine"), reverse("quarantine_list"))]

    def get_chips(self) -> Iterable[Chip]:
        return [Chip(self.object.get_status_display(), TONES[self.object.status]), Chip(self.object.source.name, is_name=True)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        said = [
            (name, value)
            for name, value in sorted(self.object.fact.items())
            if name not in ("context", "position") and value not in ("", None)
        ]
        return super().get_context_data(facts=said, **kwargs)


class QuarantinePlace(QuarantineAction):
    """Say what the source meant; the fact is then stored and judged."""

    submit_label = _("Place it")
    success = _("Placed and judged.")

    def get_title(self) -> str:
        return str(self.object.problem)

    def get_form(self) -> Any:
        return PlaceForm(self.request.POST if self.request.method == "POST" else None, fact=self.object.fact)

    def submit(self, form: Any) -> str:
        actor: Any = self.request.user
        place(self.object, actor=actor, corrections=form.corrections(), reason=form.cleaned_data["reason"])
        return reverse("quarantine_list")


class QuarantineDismiss(QuarantineAction):
    """Set it aside with a reason."""

    title = _("Dismiss this signal: it does not count")
    submit_label = _("Dismiss")
    success = _("Dismissed. It stays readable with your reason.")
    form_class = DismissForm
    danger = True

    def submit(self, form: Any) -> str:
        actor: Any = self.request.user
        dismiss(self.object, actor=actor, reason=form.cleaned_data["reason"])
        return reverse("quarantine_list")
