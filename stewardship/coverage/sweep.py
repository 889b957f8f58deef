"""Look for gaps that nobody ran into yet, and close those that are filled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import Gap, Kind
from stewardship.coverage.needed import needs
from stewardship.coverage.vacant import unaccounted, vacancies
from stewardship.escalation import subjects
from stewardship.escalation.errors import UnknownSubject
from stewardship.escalation.models import Run
from stewardship.escalation.models import Status as RunStatus
from stewardship.escalation.start import path_for
from stewardship.inventory.models import RegisteredModel, Stage
from stewardship.journal.acting import acting, moment
from stewardship.people.models import system_user
from stewardship.regions.models import Region
from stewardship.roles.holders import accountable, holders
from stewardship.roles.models import Role


@dataclass(frozen=True)
class Swept:
    """What one sweep changed."""

    opened: int
    closed: int


def vacancy(role: Role, region: Region, model: RegisteredModel | None = None) -> Gap:
    """Open the gap of a role that nobody holds. One a role and region, whoever notices it. Runs inside acting()."""
    label = _("Nobody holds the role %(role)s in %(region)s") % {"role": role.name, "region": region.name}
    return open_gap(
        kind=Kind.VACANT_ROLE,
        subject_kind="role",
        subject_id=role.pk,
        label=label,
        region=region,
        model=model,
        role=role,
        actor=system_user(),
    )


def sweep(at: datetime | None = None) -> Swept:
    """Open and close gaps until they say how things are. Safe to run twice, and in two processes."""
    before = set(Gap.objects.open().values_list("pk", flat=True))
    closed = 0
    with acting(system_user(), "coverage sweep", at=at):
        now = moment()
        found = vacancies(needs(), now)
        for (role, region), vacant in found.items():
            if vacant:
                vacancy(role, region)
        for model in unaccounted(now):
            open_gap(
                kind=Kind.NO_ACCOUNTABLE,
                subject_kind="model",
                subject_id=model.pk,
                label=_("Nobody is accountable for %(model)s") % {"model": model.name},
                region=model.region,
                model=model,
                actor=system_user(),
            )
        for gap in Gap.objects.open().filter(pk__in=before).select_related("region", "model__region", "role"):
            reason = _filled(gap, found, now)
            if reason:
                gap.close(actor=system_user(), reason=reason)
                closed += 1
        opened = Gap.objects.open().exclude(pk__in=before).count()
    return Swept(opened=opened, closed=closed)


def _filled(gap: Gap, found: dict[tuple[Role, Region], bool], at: datetime) -> str:
    """Why the gap is no gap any more; empty while it is one."""
    if gap.kind == Kind.NO_ACCOUNTABLE and gap.model is not None:
        if gap.model.stage == Stage.RETIRED:
            return _("The model is retired.")
        return _("Somebody is accountable again.") if accountable(gap.model, at) else ""
    if gap.kind == Kind.VACANT_ROLE and gap.role is not None:
        if gap.role not in {role for role, _region in found}:
            return _("The role is no longer needed.")
        filled = found.get((gap.role, gap.region)) is False or holders(gap.role, model=gap.model, region=gap.region, at=at)
        return _("The role is held again.") if filled else ""
    return _subject_settled(gap)


def _subject_settled(gap: Gap) -> str:
    if gap.kind not in (Kind.UNANSWERED, Kind.NO_PATH):
        return ""  # a kind of another slice, which closes it
    try:
        wanted = subjects.find(gap.subject_kind).wanted(gap.subject_id)
    except UnknownSubject:
        return ""
    if not wanted:
        return _("What it was about is settled.")
    if gap.kind == Kind.NO_PATH:
        return _("An escalation path is configured now.") if path_for(gap.subject_kind, "", gap.region) else ""
    run = Run.objects.about(gap.subject_kind, gap.subject_id).first()
    return _("Somebody has answered.") if run is not None and run.status != RunStatus.ENDED else ""
