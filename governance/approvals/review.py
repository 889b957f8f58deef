"""What an approver sees of a change: one reading of everything, and the sentence that answers the page's question first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.approvals.models import Decision, Requirement, Route, Stage
from governance.approvals.rules import Scope
from governance.approvals.who import Panel, Seat, path_of, seats
from governance.changes.models import ChangeRequest, ChangeRevision, Status
from governance.changes.ready import hindrances
from governance.policies.evaluate import helpers, with_people
from governance.policies.models import Evaluation
from stewardship.escalation.start import first_step
from stewardship.roles.holders import Roll, scope_path


@dataclass(frozen=True)
class MetricRow:
    """One metric of the version that should run, beside that of the one that runs now."""

    name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def delta(self) -> str:
        """The difference with its sign, or nothing where one side is missing."""
        if self.old is None or self.new is None:
            return ""
        difference = Decimal(str(self.new["value"])) - Decimal(str(self.old["value"]))
        return f"{difference:+.4f}".rstrip("0").rstrip(".") if difference else "±0"

    @property
    def overlapping(self) -> bool:
        """Whether the two intervals overlap, so that the difference may be chance; False where an interval is missing."""
        if self.old is None or self.new is None:
            return False
        low, high, new_low, new_high = (side.get(end) for side in (self.old, self.new) for end in ("low", "high"))
        if low is None or high is None or new_low is None or new_high is None:
            return False
        return bool(low <= new_high and new_low <= high)


@dataclass(frozen=True)
class StageView:
    """A stage with the people of each requirement and what they decided."""

    stage: Stage
    seats: tuple[Seat, ...]

    @property
    def wanted(self) -> int:
        """Approvals that this stage asks for."""
        return sum(seat.requirement.quorum for seat in self.seats)

    @property
    def given(self) -> int:
        """Approvals that it has."""
        return sum(seat.requirement.quorum - seat.open for seat in self.seats)


@dataclass(frozen=True)
class Review:
    """Everything the page shows, read once."""

    change: ChangeRequest
    route: Route | None
    stages: tuple[StageView, ...]
    revisions: tuple[ChangeRevision, ...]
    decisions: tuple[Decision, ...]
    gaps: tuple[tuple[str, str], ...] = ()
    next_step: str = ""
    metrics: tuple[MetricRow, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def active(self) -> StageView | None:
        """The stage that is being asked now."""
        return next((each for each in self.stages if each.stage.status == Stage.Status.ACTIVE), None)

    @property
    def dismissed(self) -> list[Decision]:
        """Decisions on content that has been edited since: kept in the record, counted no more."""
        return [each for each in self.decisions if each.digest != self.change.content_digest]

    @property
    def evaluation(self) -> Evaluation | None:
        """What the policies said when this revision was submitted."""
        return self.route.evaluation if self.route else None


def read(change: ChangeRequest, at: datetime) -> Review:
    """Read a review; the number of queries does not grow with people or revisions."""
    requirements = _requirements(change)
    route = requirements[0].stage.route if requirements else _without_people(change)
    prefetch_related_objects([change], Prefetch("revisions", queryset=ChangeRevision.objects.order_by("number")))
    revisions = tuple(change.revisions.all())
    decisions = tuple(
        Decision.objects.filter(change=change)
        .select_related("person", "acting_for", "signature", "requirement__role", "stage")
        .order_by("at")
    )
    findings = route.evaluation.findings if route else []
    roll = _roll(change, requirements, findings, at)
    return Review(
        change=change,
        route=route,
        stages=_stages(requirements, change, decisions, roll, at),
        revisions=revisions,
        decisions=decisions,
        gaps=tuple(hindrances(change, at)) if change.status in (Status.DRAFT, Status.RETURNED) else (),
        next_step=_next_step(change) if change.status == Status.SUBMITTED else "",
        metrics=tuple(metric_rows(route.evaluation.facts)) if route else (),
        findings=tuple(with_people(findings, model=change.model, region=change.region, roll=roll)),
    )


def _requirements(change: ChangeRequest) -> list[Requirement]:
    """What the route of this revision asks for, with stage, route and role."""
    rows = Requirement.objects.filter(stage__route__change=change, stage__route__revision=change.revision)
    related = rows.select_related("stage__route__evaluation", "stage__route__rule__region", "role")
    return list(related.order_by("stage__order", "role__name", "pk"))


def _without_people(change: ChangeRequest) -> Route | None:
    """The route of this revision where it asks nobody."""
    return Route.objects.filter(change=change, revision=change.revision).select_related("evaluation", "rule__region").first()


def _roll(change: ChangeRequest, requirements: Iterable[Requirement], findings: Iterable[dict[str, Any]], at: datetime) -> Roll:
    """Everybody whom the page names by role, read together: who is asked now, and who can help where a rule is not met."""
    asked = [each for each in requirements if each.stage.status == Stage.Status.ACTIVE]
    paths = [path_of(Scope(each.scope), change) for each in asked]
    return Roll([*(each.role for each in asked), *helpers(findings)], at, paths=[*paths, scope_path(change.model, change.region)])


def _stages(
    requirements: list[Requirement], change: ChangeRequest, decisions: tuple[Decision, ...], roll: Roll, at: datetime
) -> tuple[StageView, ...]:
    found = []
    for stage in dict.fromkeys(each.stage for each in requirements):
        if stage.status == Stage.Status.ACTIVE:
            found.append(StageView(stage, tuple(seats(stage, change, at, decisions=decisions, requirements=requirements, roll=roll))))
            continue
        # Who holds the role is asked late, so of a stage that is not being asked only its decisions are known.
        found.append(
            StageView(
                stage,
                tuple(
                    Seat(
                        each,
                        Panel(),
                        tuple(one for one in decisions if one.requirement_id == each.pk and one.digest == change.content_digest),
                    )
                    for each in requirements
                    if each.stage_id == stage.pk
                ),
            )
        )
    return tuple(found)


def _next_step(change: ChangeRequest) -> str:
    """Who is called when a deadline passes."""
    step = first_step("approval", "", change.region)
    return str(step.role) if step else ""


def metric_rows(facts: dict[str, Any]) -> list[MetricRow]:
    """The metrics of both versions side by side, as they were when the change was submitted."""
    new = (facts.get("evidence") or {}).get("metrics") or {}
    old = (facts.get("previous") or {}).get("metrics") or {}
    return [
        MetricRow(name, _numbers(old.get(name)), _numbers(new.get(name))) for name in [*new, *(name for name in old if name not in new)]
    ]


def _numbers(metric: Any) -> dict[str, Any] | None:
    return metric if isinstance(metric, dict) and metric.get("value") is not None else None


# --- sentences ----------------------------------------------------------------------------------


def answer(review: Review) -> str:
    """Where the change stands and who is next, in a sentence or two."""
    change = review.change
    by_status = {
        Status.DRAFT: _draft,
        Status.SUBMITTED: _waiting,
        Status.RETURNED: _returned,
        Status.APPROVED: _approved,
        Status.REJECTED: _ended,
        Status.WITHDRAWN: _ended,
        Status.EXPIRED: _ended,
        Status.IMPLEMENTED: _implemented,
    }
    return by_status[Status(change.status)](review)


def _draft(review: Review) -> str:
    number = len(review.gaps)
    if not number:
        return _("This draft is complete; %(owner)s can submit it.") % {"owner": review.change.owner}
    text = ngettext("One thing is missing before this can be submitted.", "%(n)d things are missing before this can be submitted.", number)
    return text % {"n": number}


def _waiting(review: Review) -> str:
    wanted = sum(each.wanted for each in review.stages)
    given = sum(each.given for each in review.stages)
    text = _("Waiting for %(left)d of %(all)d approvals.") % {"left": wanted - given, "all": wanted}
    active = review.active
    if active is None:
        return text
    for seat in sorted(
        (seat for seat in active.seats if seat.open), key=lambda seat: (seat.requirement.due_at is None, seat.requirement.due_at)
    ):
        text += " " + _until(seat.requirement, review.next_step)
    return text


def _until(requirement: Requirement, next_step: str) -> str:
    role = str(requirement.role)
    if requirement.due_at is None:
        return _("%(role)s has no deadline.") % {"role": role.capitalize()}
    when = moment_in_words(requirement.due_at)
    if requirement.escalated_at is not None:
        return _("%(role)s had until %(when)s; it has been escalated.") % {"role": role.capitalize(), "when": when}
    if next_step:
        return _("%(role)s has until %(when)s, then it goes to: %(next)s.") % {"role": role.capitalize(), "when": when, "next": next_step}
    return _("%(role)s has until %(when)s.") % {"role": role.capitalize(), "when": when}


def _returned(review: Review) -> str:
    last = _last(review.decisions, "return")
    if last is None:
        return _("This was returned.")
    return _("%(person)s returned this: %(comment)s") % {"person": last.person, "comment": last.comment}


def _approved(review: Review) -> str:
    change = review.change
    if review.route is not None and not review.route.human:
        text = _("Approved without a person, as the rule “%(rule)s” allows.") % {"rule": review.route.frozen["name"]}
    else:
        people = ", ".join(dict.fromkeys(str(each.person) for each in review.decisions if each.digest == change.content_digest))
        text = _("Approved by %(people)s.") % {"people": people}
    if change.is_targeted and change.expires_at is not None:
        return text + " " + _("The approval lasts until %(when)s.") % {"when": moment_in_words(change.expires_at)}
    return text


def _implemented(review: Review) -> str:
    at = review.change.implemented_at
    return _("Approved and carried out on %(when)s.") % {"when": moment_in_words(at) if at else "–"}


def _ended(review: Review) -> str:
    change = review.change
    last = _last(review.decisions, "reject")
    if change.status == Status.REJECTED and last is not None:
        return _("%(person)s rejected this: %(comment)s") % {"person": last.person, "comment": last.comment}
    return _("This is %(status)s; nothing is being decided.") % {"status": str(change.get_status_display()).lower()}


def _last(decisions: Iterable[Decision], outcome: str) -> Decision | None:
    return next((each for each in reversed(tuple(decisions)) if each.outcome == outcome), None)


def moment_in_words(at: datetime) -> str:
    """A moment in the reader's zone, the zone named."""
    local = timezone.localtime(at)
    return f"{formats.date_format(local, 'D j M Y, H:i')} {local.tzname()}"


def if_nothing_is_done(review: Review) -> str:
    """What happens when nobody acts."""
    change = review.change
    if change.status == Status.SUBMITTED and review.route is not None:
        parts = [_("Nothing changes: it is never approved because time ran out.")]
        if review.next_step:
            parts.append(_("After each deadline %(next)s is called.") % {"next": review.next_step})
        else:
            parts.append(_("No escalation path is configured here, so an overdue approval opens a gap."))
        if review.route.lapses_at is not None:
            parts.append(_("The review lapses on %(when)s.") % {"when": moment_in_words(review.route.lapses_at)})
        return " ".join(parts)
    if change.status == Status.APPROVED and change.expires_at is not None:
        return _("The approval lapses on %(when)s.") % {"when": moment_in_words(change.expires_at)}
    return ""


def sentence_to_sign(change: ChangeRequest) -> str:
    """What a signature on this change says."""
    if not change.is_targeted or change.version is None or change.environment is None:
        return _("I decide on %(change)s, revision %(revision)d, exactly as shown on this page.") % {
            "change": change.reference,
            "revision": change.revision,
        }
    return _("I decide whether %(version)s of %(model)s may go to %(environment)s in %(region)s (%(change)s, revision %(revision)d).") % {
        "version": change.version.label,
        "model": change.model,
        "environment": change.environment,
        "region": change.region,
        "change": change.reference,
        "revision": change.revision,
    }
