"""Answers kept ready, trusted only while the facts look the same, the time has not passed and the MAC holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from governance.changes.models import ChangeRequest, Status
from governance.gate import keys, marks, permits
from governance.gate.errors import PermitRefused
from governance.gate.expiry import first_end
from governance.gate.judge import Place, Result, evaluate
from governance.gate.models import Permit, Standing, Verdict, seal_of, sealed
from governance.policies.rules import ALLOW
from stewardship.inventory.models import ModelVersion
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region

# Facts that change by the mere passing of time and have no row that says when are looked at again at least this often.
LONGEST = timedelta(hours=1)
RENEW_PERMIT = timedelta(hours=1)
ASKED_LATELY = timedelta(days=1)


def rebuild(place: Place, *, issue: bool = True) -> Standing:
    """Evaluate now and keep the answer, in English. Whoever caused it, the answer is the system's own.

    A yes comes with a permit; with `issue=False` only with one that was signed before, since nobody has asked for another.
    """
    with translation.override("en"), transaction.atomic(), acting(system_user(), "The standing was computed anew"):
        # The version's row is the lock: two rebuilds at once would each issue a permit. What only refers to the version goes on.
        ModelVersion.objects.select_for_update(no_key=True).get(pk=place.version.pk)
        at = moment()
        seen = marks_of(place.version)
        result = evaluate(place, at)
        end = first_end(place, result, at)
        permit = _permit(place, result, at, end, issue=issue)
        until = min(filter(None, (at + LONGEST, end, permit.expires_at if permit else None)))
        document = result.as_document() | {"permit": _said(permit)}
        standing, _created = Standing.objects.update_or_create(
            version=place.version,
            environment=place.environment,
            region=place.region,
            defaults={
                "verdict": result.verdict,
                "document": document,
                "marks": seen,
                "computed_at": at,
                "valid_until": until,
                "mac": seal_of(place.key, result.verdict, document, seen, until),
            },
        )
    return standing


def kept(place: Place, at: datetime) -> tuple[Standing | None, bool]:
    """The answer that is kept, if any, and whether the gate would still give it at this moment."""
    found = Standing.objects.filter(version=place.version, environment=place.environment, region=place.region).first()
    return found, found is not None and holds(place.key, vars(found), marks_of(place.version), at)


def marks_of(version: ModelVersion) -> str:
    """What the facts look like now; one query."""
    return marks_of_each([version.pk])[version.pk]


def marks_of_each(versions: Iterable[Any]) -> dict[Any, str]:
    """The same for several versions, by id; one query too."""
    names = marks.looks()
    rows = ModelVersion.objects.filter(pk__in=set(versions)).annotate(**names).values("pk", *names)
    return {row["pk"]: marks.text_of(row, names) for row in rows}


def holds(key: tuple[Any, Any, Any], row: dict[str, Any], seen: str, at: datetime) -> bool:
    """Whether a stored standing may be answered from. `row` has its columns, `seen` the marks of this moment."""
    if row["mac"] is None or row["marks"] != seen or not row["computed_at"] <= at < row["valid_until"]:
        return False
    return keys.mac_matches(sealed(key, row["verdict"], row["document"], row["marks"], row["valid_until"]), row["mac"])


def is_complete(verdict: str, document: dict[str, Any]) -> bool:
    """Whether this can be given to who asks: a yes for real has its permit."""
    return verdict != ALLOW or document["practice"] or document["permit"] is not None


def _permit(place: Place, result: Result, at: datetime, end: datetime | None, *, issue: bool) -> Permit | None:
    """A permit for a yes: the one issued before while it lasts, says the same and ends with what it rests on; otherwise a new one."""
    if result.verdict != ALLOW or result.change is None or result.practice:
        return None
    wanted = permits.end_of(result.change, at, end)
    latest: Permit | None = (
        Permit.objects.filter(version=place.version, environment=place.environment, region=place.region, change=result.change)
        .filter(expires_at__gt=max(at, min(at + RENEW_PERMIT, wanted - timedelta(seconds=1))), expires_at__lte=end or at + permits.LIFE)
        .order_by("-expires_at")
        .first()
    )
    if latest is not None and _policies(latest) == [f"{each['policy']}/{each['version']}" for each in result.judgement.policies]:
        return latest
    if not issue or wanted <= at:
        return None
    return permits.issue(
        change=result.change,
        version=place.version,
        environment=place.environment,
        region=place.region,
        policies=result.judgement.policies,
        at=at,
        until=end,
    )


def _said(permit: Permit | None) -> dict[str, str] | None:
    if permit is None:
        return None
    return {"id": str(permit.pk), "token": permit.token, "expires_at": permit.expires_at.isoformat()}


def _policies(permit: Permit) -> list[str] | None:
    """The policies of a permit of ours; None when it was signed with a key we no longer have."""
    try:
        found: list[str] = permits.verify(permit.token, keys.public_key())["policies"]
    except PermitRefused:
        return None
    return found


def drop(**about: Any) -> None:
    """Forget what was kept about these; the next question is evaluated in full."""
    Standing.objects.filter(**about).delete()


def on_moved(change: ChangeRequest, actor: User) -> None:
    """A change moved: every answer about its model may be another one, and an approval has its permit at once."""
    drop(version__model=change.model_id)
    if change.is_targeted and change.status == Status.APPROVED:
        assert change.version is not None
        assert change.environment is not None  # the check constraint says so
        rebuild(Place(change.version, change.environment, change.region))


def on_policies_changed(region: Region, *, actor: User) -> None:
    """Other rules hold: every answer in and below the region, or about a model from there, is looked at again."""
    below = Region.objects.ids_below([region.pk])
    Standing.objects.filter(Q(region__in=below) | Q(version__model__region__in=below)).update(valid_until=moment())


def renew(at: datetime, limit: int = 25) -> int:
    """Compute anew what has expired and will be asked for, so that nobody waits for it; gives how many.

    That is what was asked for lately, and what is approved and not yet deployed. No permit is signed for it: one that nobody
    asked for would be in the journal for nothing.
    """
    here = {name: OuterRef(name) for name in ("version", "environment", "region")}
    lately = Exists(Verdict.objects.filter(**here, at__gte=at - ASKED_LATELY))
    ready = Exists(Standing.objects.filter(**here, valid_until__gt=at))
    stale = Standing.objects.filter(lately, valid_until__lte=at).order_by("valid_until")
    awaited = ChangeRequest.objects.agreed().filter(~ready, status=Status.APPROVED).order_by("expires_at", "pk")
    related = ("version__model__region", "version__model__family", "environment", "region")
    rows = [*stale.select_related(*related)[:limit], *awaited.select_related(*related)[:limit]]
    found = {place.key: place for place in (Place(each.version, each.environment, each.region) for each in rows)}
    for place in found.values():
        rebuild(place, issue=False)
    return len(found)
