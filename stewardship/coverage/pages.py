"""Where nobody answers, and closing a gap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage
from config.portal.tables import Column, Filter, Table
from stewardship.access import allowed_to, require
from stewardship.coverage.models import SUBJECT, Gap, Kind, Status
from stewardship.coverage.rights import GapRight
from stewardship.escalation.forms import ReasonForm
from stewardship.escalation.models import Run
from stewardship.escalation.models import Status as RunStatus
from stewardship.escalation.rights import RunRight
from stewardship.escalation.start import path_for
from stewardship.regions.listing import region_filter


class GapTable(Table):
    """Gaps, the newest first."""

    caption = _("Gaps")
    columns = (
        Column("label", _("What is missing"), link=lambda gap: reverse("gap_detail", args=[gap.pk]), wide=True),
        Column("status", _("Status"), value=lambda gap: Chip(gap.get_status_display(), gap.tone)),
        Column("kind", _("Kind"), value="kind_label"),
        Column("region", _("Region"), value="region__name"),
        Column("opened_at", _("Open since"), order="opened_at"),
    )
    filters = (
        Filter("status", _("Status"), choices=Status.choices),
        Filter("kind", _("Kind"), choices=Kind.choices),
        region_filter(GapRight.VIEW),
    )
    search = ("label__icontains",)
    ordering = ("-opened_at",)
    empty = _("No gaps: every model has somebody accountable and every role that is needed is held.")


class GapList(ListPage):
    """Every gap this person may see; the title counts the open ones."""

    model = Gap
    right = GapRight.VIEW
    table = GapTable

    def get_title(self) -> str:
        open_now = Gap.objects.allowed(self.request.user, GapRight.VIEW).open().count()
        return ngettext("%(n)d open gap", "%(n)d open gaps", open_now) % {"n": open_now} if open_now else str(_("No open gaps"))

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("region")


class GapDetail(ObjectPage):
    """One gap: since when, who is being called, how it closes."""

    model = Gap
    right = GapRight.VIEW
    select_related = ("region", "model", "role")
    template_name = "stewardship/coverage/gap_page.html"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Gaps"), reverse("gap_list"))]

    def get_chips(self) -> Iterable[Chip]:
        gap = self.object
        return [Chip(gap.get_status_display(), gap.tone), Chip(gap.kind_label), Chip(gap.region.name, is_name=True)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        gap = self.object
        facts = (
            (_("Open since"), gap.opened_at),
            (_("Closed"), gap.closed_at),
            (_("Role"), gap.role.name if gap.role else ""),
            (_("Model"), gap.model.name if gap.model else ""),
        )
        run = Run.objects.about(SUBJECT, gap.pk).select_related("answered_by").first()
        shown = run is not None and allowed_to(self.request.user, RunRight.VIEW, run)
        return super().get_context_data(
            facts=[(label, value) for label, value in facts if value],
            called=_called(gap, run, shown),
            run=run if shown else None,
            may_close=gap.status == Status.OPEN and allowed_to(self.request.user, GapRight.CLOSE, gap),
            form=ReasonForm(),
            **kwargs,
        )


CALLED = {
    RunStatus.RUNNING: _("Somebody is being called about this."),
    RunStatus.ACKNOWLEDGED: _("%(name)s has taken this on."),
    RunStatus.STOPPED: _("The calls about this were stopped. It stays on this list until somebody closes it."),
    RunStatus.ENDED: _("Everybody on the escalation path was called and nobody answered. It stays on this list until somebody closes it."),
}


def _called(gap: Gap, run: Run | None, shown: bool) -> str:
    """Whether anybody is being called, as far as this person may know."""
    if run is None:
        if path_for(SUBJECT, gap.kind[:20], gap.region) is None:
            return gettext(
                "Nobody is being called about this: no escalation path for gaps is configured here."
                " It stays on this list until somebody closes it."
            )
        return gettext(
            "Nobody is being called about this: the escalation path for gaps was configured after it had been found."
            " It stays on this list until somebody closes it."
        )
    if not shown:
        return gettext("There is an escalation about this, which you may not see. It stays on this list until somebody closes it.")
    return str(CALLED[RunStatus(run.status)]) % {"name": run.answered_by}


class GapClose(ActionPage):
    """Say who answers now."""

    model = Gap
    right = GapRight.VIEW
    form_class = ReasonForm
    title = _("Close this gap")
    submit_label = _("Close the gap")
    success = _("The gap is closed.")

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        require(request.user, GapRight.CLOSE, self.object)

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Gaps"), reverse("gap_list")), Crumb(self.object.label, reverse("gap_detail", args=[self.object.pk]))]

    def submit(self, form: Any) -> str:
        self.object.close(actor=self.request.user, reason=form.cleaned_data["reason"])
        return reverse("gap_detail", args=[self.object.pk])
