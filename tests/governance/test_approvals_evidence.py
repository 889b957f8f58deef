"""What people agree to includes the evidence: other evidence means other content, in review and after the approval."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from governance.approvals.errors import NotYetCompliant, StaleForm
from governance.approvals.models import Decision, Route
from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest, Status
from governance.evidence.models import Artifact
from governance.gate.judge import Place, evaluate
from stewardship.documents.blobs import store
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, metrics, policy, route, with_evidence

BAD, BETTER = metrics("0.7", "0.6"), metrics("0.96", "0.91")


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    return make_version(model, "1.1.0")


def submitted(cast: Cast, model: RegisteredModel, version: ModelVersion, data: bytes) -> ChangeRequest:
    policy(cast)
    route(cast)
    with_evidence(version, data=data)
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    return fresh(change)


def behind_the_back(version: ModelVersion, data: bytes) -> None:
    """An artifact that came without the verb: a race, or a hand in the database."""
    with acting(system_user(), "Behind the back"):
        blob = store(data, name="metrics.json", media_type="application/json", actor=system_user())
        Artifact(version=version, kind="metrics", name="metrics.json", blob=blob, received_digest=blob.sha256, attached_at=moment()).save()


def test_evidence_that_arrives_in_review_dismisses_what_was_decided(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User
) -> None:
    change = submitted(cast, model, version, metrics())
    decides(change, bob, comment="The numbers are fine")
    with_evidence(version, data=BETTER)
    again = fresh(change)
    assert again.revision == 2
    assert again.content_digest != change.content_digest
    assert again.evidence != change.evidence
    assert again.routes.get(revision=1).status == Route.Status.SUPERSEDED
    with pytest.raises(StaleForm):
        decides(change, bob, digest=change.content_digest)
    decides(again, bob)
    decides(again, kate)
    assert fresh(change).status == Status.APPROVED


def test_the_approver_sees_the_evidence_that_is_agreed_to(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    change = submitted(cast, model, version, BAD)
    assert change.routes.get().evaluation.verdict == "deny"
    with_evidence(version, data=BETTER)
    assert fresh(change).routes.get(revision=2).evaluation.verdict == "allow"


def test_the_same_file_again_changes_nothing(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    change = submitted(cast, model, version, metrics())
    with_evidence(version, data=metrics())
    assert fresh(change).revision == 1


def test_whoever_attached_it_may_still_decide(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    """A second line that adds what it found has not edited the change."""
    from governance.evidence.attach import attach
    from stewardship.roles.matrix import set_rights

    rights = {"evidence:artifact:attach": "R", "evidence:artifact:view": "R", "approvals:decision:make": "R", "changes:change:view": "R"}
    set_rights(cast.roles["validator"], rights, actor=system_user())
    change = submitted(cast, model, version, metrics())
    attach(version=version, kind="note", data=b"Looked at it", name="note.txt", media_type="text/plain", actor=bob)
    assert fresh(change).revision == 2
    assert decides(change, bob).revision == 2


def test_evidence_is_kept_when_nobody_can_be_asked_any_more(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    change = submitted(cast, model, version, metrics())
    with acting(system_user(), "The route is gone"):
        rule = change.routes.get().rule
        rule.active = False
        rule.save()
    with translation.override("de"):  # whoever attaches it reads German, the history does not
        with_evidence(version, data=BETTER)
    assert Artifact.objects.filter(version=version).count() == 2
    change = fresh(change)
    assert change.status == Status.RETURNED
    assert "No approval route" in change.history.first().history_change_reason
    assert not Route.objects.running().exists()


def test_nobody_decides_on_evidence_that_was_never_shown(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    change = submitted(cast, model, version, metrics())
    behind_the_back(version, BETTER)
    with pytest.raises(StaleForm, match="evidence"):
        decides(change, bob)
    assert Decision.objects.count() == 0


def test_the_gate_refuses_evidence_nobody_agreed_to(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User
) -> None:
    change = submitted(cast, model, version, metrics())
    decides(change, bob)
    decides(change, kate)
    place = Place(version, cast.environments["production"], cast.regions["de"])
    assert evaluate(place, timezone.now()).verdict == "allow"
    with_evidence(version, data=BETTER)
    answer = evaluate(place, timezone.now())
    assert answer.verdict == "deny"
    (reason,) = answer.reasons
    assert "evidence" in reason.text
    assert "Attach again" in reason.remedy
    assert reason.who == str(change.owner)
    with_evidence(version, data=metrics())  # what they agreed to is what counts again
    assert evaluate(place, timezone.now()).verdict == "allow"


def test_bad_evidence_in_review_still_stops_an_approval(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    change = submitted(cast, model, version, metrics())
    with_evidence(version, data=BAD)
    with pytest.raises(NotYetCompliant):
        decides(change, bob)
