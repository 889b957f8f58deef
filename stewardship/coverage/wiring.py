"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.portal.registry import gauges, inbox, nav
from config.portal.tick import chore
from stewardship.access import rights
from stewardship.coverage import hooks, needed, tasks
from stewardship.coverage import inbox as items
from stewardship.coverage.models import SUBJECT, Gap
from stewardship.coverage.rights import GapRight
from stewardship.escalation import subjects, vacancies


def wire() -> None:
    """Rights, the hooks of the escalation, the chore, the inbox."""
    rights.register(GapRight)
    subjects.register(SUBJECT, label=_("Gap"), link=gap_page, wanted=still_open)
    vacancies.register(hooks.on_vacant)
    vacancies.register_end(hooks.on_unanswered)
    needed.register(needed.of_paths)
    chore("gaps in accountability", every=60)(tasks.look)
    inbox.register(items.gaps_for)
    nav.register("Portfolio", _("Gaps"), "gap_list", GapRight.VIEW, order=40, icon="gap")
    gauges.register("concordat_gaps_open", "Places where nobody answers.", lambda: float(Gap.objects.open().count()))


def still_open(gap_id: UUID) -> bool:
    """Whether anybody still needs to come."""
    return Gap.objects.open().filter(pk=gap_id).exists()


def gap_page(gap_id: UUID) -> str:
    """Where the call leads."""
    return reverse("gap_detail", args=[gap_id])
