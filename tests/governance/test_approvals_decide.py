"""Deciding: who may, on what exactly, how stages advance, and what ends a review."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.portal.errors import Conflict, Invalid
from governance.approvals.decide import decide
from governance.approvals.errors import NotAsked, NotSigned, NotYetCompliant, StaleForm
from governance.approvals.models import Decision, Route, Stage
from governance.approvals.submit import submit
from governance.approvals.who import active_stage, may_decide, seats, why_not
from governance.changes.models import ChangeRequest, Status
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.record import FactsNeverChange
from stewardship.notices.models import Notice
from stewardship.people.models import Absence, Delegation, User, system_user
from stewardship.roles.assign import assign
from stewardship.signing.errors import ProgramsCannotSign, TokenRefused
from stewardship.signing.mint import mint
from stewardship.signing.sign import sign
from tests.cast import PASSWORD, Cast, make_version
from tests.governance.change_case import ONE_STAGE, SESSION, TWO_STAGES, decides, fresh, full_draft, metrics, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def submitted(cast: Cast, model: RegisteredModel, version: ModelVersion, stages: object = None, **fields: object) -> ChangeRequest:
    policy(cast)
    route(cast, stages=stages or TWO_STAGES, **fields)
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    return fresh(change)


def test_stage_after_stage_until_it_is_approved(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User) -> None:
    change = submitted(cast, model, version, valid_days=30)
    assert [each.role.slug for each in may_decide(bob, change)] == ["validator"]
    assert may_decide(kate, change) == []
    first = decides(change, bob, comment="Looks right")
    assert first.signature.printed_name == "Bob Berger"
    assert first.signature.meaning == "approve"
    assert first.signature.digest == change.content_digest
    assert fresh(change).status == Status.SUBMITTED
    assert [each.role.slug for each in may_decide(kate, fresh(change))] == ["risk"]
    decides(change, kate)
    change = fresh(change)
    assert change.status == Status.APPROVED
    assert change.decided_at is not None
    assert change.expires_at is not None
    assert change.routes.get().status == Route.Status.AGREED
    assert {stage.status for stage in change.routes.get().stages.all()} == {Stage.Status.AGREED}


def test_those_asked_and_the_owner_are_told(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User) -> None:
    change = submitted(cast, model, version)
    assert set(Notice.objects.filter(cause_kind="approval").values_list("recipient__username", flat=True)) == {"bob"}
    decides(change, bob)
    decides(change, kate)
    assert set(Notice.objects.filter(cause_kind="approval").values_list("recipient__username", flat=True)) == {"bob", "kate"}
    news = Notice.objects.filter(cause_kind="change", recipient__username="alice")
    assert "is approved" in news.first().subject


def test_whoever_submitted_drafted_or_built_it_never_decides(cast: Cast, model: RegisteredModel, bob: User, kate: User) -> None:
    policy(cast)
    route(cast, stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    with acting(system_user(), "A second validator"):
        assign(actor=system_user(), role=cast.roles["validator"], user=kate, region=cast.regions["eu"], rationale="Two")
    version = make_version(model, "2.0.0")
    with acting(system_user(), "Known committer"):
        version.committer = "Bob Berger <bob@bank.example>"
        version.save()
    with_evidence(version)
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    assert may_decide(bob, fresh(change)) == []
    with pytest.raises(NotAsked, match="committed the version"):
        decides(change, bob)
    assert change.decisions.count() == 0
    decides(change, kate)
    assert fresh(change).status == Status.APPROVED


def test_without_the_right_or_the_sight_of_it(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    change = submitted(cast, model, version)
    with pytest.raises(Forbidden):
        decides(change, cast.users["ivan"])
    with pytest.raises(NotVisible):
        decides(change, cast.users["gita"])
    with pytest.raises(NotVisible):
        decides(change, cast.users["charlie"])
    with pytest.raises(NotAsked, match="You are not asked"):
        decides(change, cast.users["erin"])


def test_reject_ends_it_and_return_gives_it_back(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, alice: User) -> None:
    change = submitted(cast, model, version)
    with pytest.raises(Invalid) as refused:
        decides(change, bob, "reject")
    assert refused.value.field == "comment"
    decides(change, bob, "return", "Say what happens to old scores")
    change = fresh(change)
    assert change.status == Status.RETURNED
    assert change.routes.get().status == Route.Status.RETURNED
    change.edit(actor=alice, rationale="Old scores are kept.")
    submit(change, actor=alice)
    change = fresh(change)
    assert change.revision == 2
    decides(change, bob, "reject", "No")
    assert fresh(change).status == Status.REJECTED
    with pytest.raises(Conflict, match="nothing is being decided"):
        decides(change, cast.users["kate"])


def test_an_edit_dismisses_what_was_decided(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User, alice: User
) -> None:
    change = submitted(cast, model, version)
    seen = change.content_digest
    decides(change, bob)
    change = fresh(change)
    change.edit(actor=alice, rollout_plan="Half of the traffic first.")
    change = fresh(change)
    assert change.status == Status.SUBMITTED
    assert change.revision == 2
    assert change.content_digest != seen
    assert [route.status for route in change.routes.order_by("revision")] == ["superseded", "running"]
    assert change.decisions.count() == 1  # it stays in the record, and counts no more
    assert [each.role.slug for each in may_decide(bob, change)] == ["validator"]
    with pytest.raises(StaleForm, match="edited since you opened it"):
        decides(change, bob, digest=seen)
    decides(change, bob)
    decides(change, kate)
    assert fresh(change).status == Status.APPROVED


def test_editing_back_to_the_same_words_still_starts_over(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, alice: User
) -> None:
    change = submitted(
        cast, model, version, [{"name": "Review", "requirements": [{"role": "validator"}, {"role": "risk", "scope": "region"}]}]
    )
    digest, plan = change.content_digest, change.rollout_plan
    decides(change, bob)
    fresh(change).edit(actor=alice, rollout_plan="Another plan")
    fresh(change).edit(actor=alice, rollout_plan=plan)
    assert fresh(change).content_digest != digest
    stage = active_stage(fresh(change))
    assert stage is not None
    assert all(seat.open == 1 for seat in seats(stage, fresh(change)))


def test_a_settled_change_cannot_be_edited(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, alice: User) -> None:
    change = submitted(cast, model, version)
    decides(change, bob, "reject", "No")
    with pytest.raises(Conflict, match="its content is settled"):
        fresh(change).edit(actor=alice, rationale="Please")


def test_nobody_can_approve_what_a_blocking_rule_forbids(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    change = submitted(cast, model, version)
    with_evidence(version, data=metrics("0.7", "0.6"))  # worse evidence arrives while people decide
    with pytest.raises(NotYetCompliant) as refused:
        decides(change, bob)
    assert "recall is good enough" in refused.value.message
    assert refused.value.remedy == "Attach evidence that shows it."
    assert Decision.objects.count() == 0
    decides(change, bob, "reject", "The new numbers are worse")
    assert fresh(change).status == Status.REJECTED


def test_what_is_not_known_is_not_a_yes(cast: Cast, model: RegisteredModel, bob: User) -> None:
    change = submitted(cast, model, make_version(model, "1.2.0"))  # no evidence at all
    assert change.routes.get().evaluation.verdict == "undecided"
    with pytest.raises(NotYetCompliant, match="not known"):
        decides(change, bob)


def test_a_token_signs_once_and_only_what_it_was_made_for(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User
) -> None:
    change = submitted(cast, model, version, ONE_STAGE)

    def minted(person: User, meaning: str = "approve", digest: str = change.content_digest) -> str:
        return mint(
            user=person, session_key=SESSION, subject_kind="change", subject_id=change.pk, digest=digest, meaning=meaning,
            method="password", credential=PASSWORD,
        )  # fmt: skip

    def attempt(person: User, token: str, outcome: str = "approve", session: str = SESSION) -> Decision:
        return decide(
            fresh(change), actor=person, outcome=outcome, comment="why", digest=change.content_digest, token=token, session_key=session
        )

    with pytest.raises(TokenRefused, match="another person"):
        attempt(bob, minted(kate))
    with pytest.raises(TokenRefused, match="another decision"):
        attempt(bob, minted(bob, "reject"))
    with pytest.raises(TokenRefused, match="content has changed"):
        attempt(bob, minted(bob, digest="0" * 64))
    with pytest.raises(ProgramsCannotSign):
        attempt(bob, minted(bob), session="")
    assert Decision.objects.count() == 0
    token = minted(bob)
    attempt(bob, token)
    with pytest.raises((TokenRefused, NotAsked)):
        attempt(bob, token)
    with pytest.raises(TokenRefused):
        attempt(kate, token)
    assert Decision.objects.count() == 1


def test_one_person_fills_one_seat_of_a_stage(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User) -> None:
    assign(actor=system_user(), role=cast.roles["risk"], user=bob, region=cast.regions["eu"], rationale="Both")
    change = submitted(cast, model, version, ONE_STAGE)
    decision = decides(change, bob)
    # Kate can only count as risk, so Bob counts as validator although he holds both.
    assert decision.requirement.role.slug == "validator"
    with pytest.raises(NotAsked, match="decided in this stage"):
        decides(change, bob)
    decides(change, kate)
    assert fresh(change).status == Status.APPROVED


def test_a_delegate_decides_for_an_absent_person_but_not_in_the_second_line(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, frank: User, erin: User
) -> None:
    now = timezone.now()
    with acting(system_user(), "On holiday"):
        for person, delegate in ((bob, frank), (cast.users["ivan"], erin)):
            Absence(user=person, starts=now - timedelta(days=1), ends=now + timedelta(days=5)).save()
            Delegation(delegator=person, delegate=delegate, starts=now - timedelta(days=1), ends=now + timedelta(days=5)).save()
    change = submitted(cast, model, version, [{"name": "Operations", "requirements": [{"role": "responder"}]}])
    stage = active_stage(change)
    assert stage is not None
    (seat,) = seats(stage, change)
    assert set(seat.panel.able) == {erin.pk}
    assert seat.panel.acting_for[erin.pk] == cast.users["ivan"]
    decision = decides(change, erin)
    assert decision.acting_for == cast.users["ivan"]
    other = full_draft(cast, model, version, environment=cast.environments["staging"])
    route(cast, "de", name="Second line", stages=[{"name": "Validation", "requirements": [{"role": "validator"}]}])
    with pytest.raises(Conflict, match="0 may decide"):
        submit(other, actor=cast.users["alice"])


def test_why_not_is_said_in_words(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, kate: User, bob: User) -> None:
    change = submitted(cast, model, version)
    stage = active_stage(change)
    assert stage is not None
    found = seats(stage, change)
    assert why_not(bob, change, found) == ""
    assert "it waits for: validator" in why_not(kate, change, found)
    assert "it waits for: validator" in why_not(alice, change, found)
    change.status = Status.APPROVED
    assert "nothing is being decided" in why_not(bob, change, [])


def test_a_decision_never_changes(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    decision = decides(submitted(cast, model, version), bob)
    decision.comment = "I meant something else"
    with pytest.raises(FactsNeverChange):
        decision.save()


def test_a_waiver_takes_effect_when_it_is_approved(cast: Cast, model: RegisteredModel, bob: User, alice: User) -> None:
    from governance.changes.draft import draft
    from governance.policies.models import Waiver

    policy(cast)
    route(cast, kind="waiver", stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    change = draft(
        actor=alice, kind="waiver", model=model, rationale="No ground truth for six weeks", waived_rule="policy-global/recall",
        compensating_control="Weekly manual sample", waiver_until=timezone.now() + timedelta(days=42),
    )  # fmt: skip
    submit(change, actor=alice)
    decides(change, bob)
    waiver = Waiver.objects.get(change_id=change.pk)
    assert waiver.rule == "policy-global/recall"
    assert waiver.compensating_control == "Weekly manual sample"
    assert fresh(change).status == Status.APPROVED


def test_no_decision_exists_beside_what_its_person_signed(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    """The verb holds this, the model holds it, and the database holds it against raw SQL."""
    change = submitted(cast, model, version)
    other = full_draft(cast, model, version, environment=cast.environments["staging"])
    stage = active_stage(change)
    assert stage is not None
    what = {"subject_kind": "change", "subject_id": change.pk, "digest": change.content_digest, "meaning": "approve"}
    token = mint(user=bob, session_key=SESSION, method="password", credential=PASSWORD, **what)
    signature = sign(actor=bob, token=token, session_key=SESSION, **what)
    requirement = stage.requirements.get()
    fitting = {"change_id": change.pk, "revision": change.revision, "stage": stage, "requirement": requirement, "person_id": bob.pk}
    fitting |= {"outcome": "approve", "digest": change.content_digest, "signature_id": signature.pk}
    misfits = {"change_id": other.pk, "person_id": cast.users["kate"].pk, "outcome": "reject", "digest": "b" * 64, "signature_id": uuid4()}
    for name, value in misfits.items():
        misfit = Decision(**(fitting | {name: value}))
        with acting(bob, name), pytest.raises(NotSigned):
            misfit.save()
        misfit.at, misfit.actor_id = timezone.now(), bob.pk
        with pytest.raises(IntegrityError, match="signed"), transaction.atomic():
            misfit.save_base(force_insert=True)
    with acting(bob, "honest"):
        Decision(**fitting).save()
