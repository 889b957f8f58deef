"""One person decides on exactly what they were shown, signs it, and the route moves on; all in one transaction."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from config.portal.errors import Conflict, Invalid
from governance.approvals import rules
from governance.approvals.advance import end, finish_stage, meet
from governance.approvals.errors import NotAsked, NotYetCompliant, StaleForm
from governance.approvals.models import SUBJECT, Decision, Requirement, Route, Stage
from governance.approvals.rights import DecisionRight
from governance.approvals.who import Seat, active_stage, seats, why_not
from governance.changes.facts import assemble
from governance.changes.models import ChangeRequest, Status
from governance.evidence.facts import listed
from governance.policies.evaluate import Judgement, judge
from governance.policies.models import Verdict
from stewardship.access import require
from stewardship.escalation.follow import settled
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.signing.sign import sign


def decide(change: ChangeRequest, *, actor: User, outcome: str, comment: str = "", digest: str, token: str, session_key: str) -> Decision:
    """Record a signed decision. `digest` is the content's as the person saw it; `token` is fresh proof of who they are.

    Raises NotAsked (with the reason), StaleForm when the content was edited or its evidence replaced meanwhile, NotYetCompliant
    when a blocking rule stands against approving, Conflict when the change is decided already, and what signing raises. Then
    nothing is written.
    """
    require(actor, DecisionRight.MAKE, change)
    decided = _outcome(outcome, comment)
    with transaction.atomic():
        change.locked()  # everybody who decides on this change queues here
        _still_open(change)
        if digest != change.content_digest:
            raise StaleForm(
                _("The change was edited since you opened it."),
                field="digest",
                remedy=_("Reload the page, see what is new, and decide on that."),
            )
        stage, seat = _seat(change, actor)
        if decided is rules.Outcome.APPROVE:
            _refuse_other_evidence(change)
            refuse_unless_compliant(change)
        with acting(actor, comment or _("Decided on %(reference)s") % {"reference": change.reference}):
            signature = sign(
                actor=actor,
                token=token,
                session_key=session_key,
                subject_kind=SUBJECT,
                subject_id=change.pk,
                digest=digest,
                meaning=decided.value,
            )
            decision = Decision(
                change=change,
                revision=change.revision,
                stage=stage,
                requirement=seat.requirement,
                person=actor,
                acting_for=seat.panel.acting_for[actor.pk],
                outcome=decided.value,
                comment=comment,
                digest=digest,
                signature=signature,
            )
            decision.save()
            _move_on(change, stage, seat, decided, comment, actor)
    return decision


def _outcome(outcome: str, comment: str) -> rules.Outcome:
    if outcome not in set(rules.Outcome):
        raise Invalid(_("%(outcome)s is not a decision.") % {"outcome": outcome}, field="outcome", remedy=_("Approve, return or reject."))
    found = rules.Outcome(outcome)
    if found is not rules.Outcome.APPROVE and not comment.strip():
        raise Invalid(_("Say why, so that the owner knows what to do."), field="comment", remedy=_("Write a sentence."))
    return found


def _still_open(change: ChangeRequest) -> None:
    if change.status != Status.SUBMITTED:
        raise Conflict(
            _("%(reference)s is %(status)s, so nothing is being decided.")
            % {"reference": change.reference, "status": change.get_status_display().lower()},
            field="status",
            remedy=_("Reload the page to see what happened."),
        )


def _seat(change: ChangeRequest, actor: User) -> tuple[Stage, Seat]:
    """The stage being asked and the requirement this decision counts for."""
    stage = active_stage(change)
    if stage is None:
        raise Conflict(_("Nobody is being asked at the moment."), field="status", remedy=_("Reload the page."))
    found = seats(stage, change)
    index = rules.seat_for(actor.pk, [(seat.open, frozenset(seat.panel.able)) for seat in found])
    if index is None:
        raise NotAsked(why_not(actor, change, found), field="actor", remedy=_("The page says who is asked."))
    return stage, found[index]


def _refuse_other_evidence(change: ChangeRequest) -> None:
    # New evidence starts the review over in its own transaction; what got past that was never put before anybody.
    if change.evidence != listed(change.version):
        raise StaleForm(
            _("The evidence is not what was submitted and shown to you."),
            field="digest",
            remedy=_("Return it to its owner, who can submit it with the evidence as it is now."),
        )


def judge_now(change: ChangeRequest) -> Judgement:
    """What the policies say at this moment, without writing it down."""
    at = moment()
    return judge(assemble(change, at), change.region, at, model=change.model)


def refuse_unless_compliant(change: ChangeRequest) -> None:
    """Undecided is not yes: nobody can approve what a blocking rule forbids or cannot judge. A waiver asks to be excused."""
    if not change.is_targeted:
        return
    judgement = judge_now(change)
    if judgement.verdict == Verdict.ALLOW:
        return
    reasons = judgement.reasons
    raise NotYetCompliant(
        _("This cannot be approved as it is: %(reasons)s") % {"reasons": " ".join(each["text"] for each in reasons)},
        field="outcome",
        remedy=" ".join(dict.fromkeys(each["remedy"] for each in reasons if each.get("remedy"))) or _("Return it to its owner."),
    )


def _move_on(change: ChangeRequest, stage: Stage, seat: Seat, decided: rules.Outcome, comment: str, actor: User) -> None:
    quorums = dict(Requirement.objects.filter(stage=stage).values_list("pk", "quorum"))
    given = [
        (requirement, rules.Outcome(outcome))
        for requirement, outcome in Decision.objects.filter(stage=stage, digest=change.content_digest).values_list(
            "requirement_id", "outcome"
        )
    ]
    stands = rules.progress(quorums, given)
    if stands is rules.Progress.REJECTED:
        end(change, Status.REJECTED, Route.Status.REJECTED, actor=actor, reason=comment)
    elif stands is rules.Progress.RETURNED:
        end(change, Status.RETURNED, Route.Status.RETURNED, actor=actor, reason=comment)
    elif stands is rules.Progress.AGREED:
        finish_stage(stage, actor=actor)
    elif seat.open <= 1:
        meet(seat.requirement)
        settled("approval", seat.requirement.pk, actor=actor, reason=_("Decided"))
