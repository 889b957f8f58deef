"""The gate: verdicts, reasons, alternatives, permits, and answers that are never older than the facts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from governance.approvals.submit import submit
from governance.gate import keys, permits, standing
from governance.gate.ask import ask
from governance.gate.deploy import record_deployment
from governance.gate.errors import UnknownTarget, UnknownVersion
from governance.gate.judge import Place, evaluate
from governance.gate.models import Standing, Verdict
from stewardship.dossiers.models import Dossier, Template
from stewardship.inventory.models import ModelVersion, RegisteredModel, Stage
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import full_draft, metrics, policy, route, with_evidence
from tests.governance.gate_case import ONE, approved, asked, built


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    return built(model)


def test_an_approved_version_is_allowed_with_a_permit(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    change = approved(cast, model, version)
    answer = asked(pipeline, version)
    assert answer.verdict == "allow"
    assert answer.reasons == []
    assert answer.change == change.pk
    assert answer.permit is not None
    claims = permits.verify(answer.permit, keys.public_key(), at=timezone.now())
    assert claims["digest"] == version.digest
    assert claims["environment"] == "production"
    assert claims["region"] == "de"
    assert claims["change"] == change.reference
    assert claims["policies"] == ["policy-global/1"]
    verdict = Verdict.objects.get(pk=answer.id)
    assert verdict.permit is not None
    assert verdict.actor_id == pipeline.pk


def test_by_digest_it_is_the_same_answer(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    answer = ask(model=model.slug, digest=f"sha256:{version.digest}", environment="production", region="de", actor=pipeline)
    assert answer.verdict == "allow"


def test_one_read_and_one_write(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    asked(pipeline, version)
    with CaptureQueriesContext(connection) as seen:
        assert asked(pipeline, version).verdict == "allow"
    statements = [query["sql"].split()[0] for query in seen.captured_queries]
    assert statements == ["SELECT", "INSERT"], statements


def test_nobody_has_approved_it(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    policy(cast)
    with translation.override("de"):
        answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert answer.permit is None
    (reason,) = answer.reasons
    assert reason["rule"] == "approval"
    assert "Nobody has approved 1.1.0" in reason["text"], "what is kept is in nobody's own language"
    assert reason["remedy"]
    assert reason["who"] == "Alice Adler"


def test_in_review_is_not_approved(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User, alice: User) -> None:
    policy(cast)
    route(cast, stages=ONE)
    submit(full_draft(cast, model, version), actor=alice)
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert "is in review" in answer.reasons[0]["text"]
    assert answer.reasons[0]["who"] == "validator"


def test_the_change_in_review_is_judged(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User, alice: User) -> None:
    policy(cast, rules={"way-back": "change.has_rollback_plan"})
    route(cast, stages=ONE)
    submit(full_draft(cast, model, version), actor=alice)
    assert [each["rule"] for each in asked(pipeline, version).reasons] == ["approval"]


def test_everything_in_the_way_is_named_at_once(cast: Cast, model: RegisteredModel, pipeline: User) -> None:
    policy(cast, rules={"recall": "evidence.metrics.recall.low >= 0.99", "tests": "evidence.tests.failed == 0"})
    version = make_version(model, "1.2.0")
    with_evidence(version)
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert [reason["rule"] for reason in answer.reasons] == ["approval", "policy-global/recall", "policy-global/tests"]
    assert answer.reasons[1]["remedy"] == "Attach evidence that shows it."
    assert answer.reasons[1]["who"] == "model owner"


def test_new_evidence_changes_the_answer_at_once(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    assert asked(pipeline, version).verdict == "allow"
    with_evidence(version, data=metrics("0.7", "0.6"))
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    with_evidence(version, data=b"not json")
    broken = asked(pipeline, version)
    # Nobody agreed to this evidence, so it is a no whatever the policies say; that they cannot judge it is said too.
    assert broken.verdict == "deny"
    assert any("not known" in reason["text"] for reason in broken.reasons)


def test_a_new_policy_an_alert_of_facts_or_a_retirement_changes_it(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    approved(cast, model, version)
    assert asked(pipeline, version).verdict == "allow"
    stricter = policy(cast, "de", rules={"tier": "model.tier <= 4"})
    assert asked(pipeline, version).verdict == "undecided"
    model.set_tier(2, actor=system_user(), reason="Assessed")
    assert asked(pipeline, version).verdict == "allow"
    stricter.retire(actor=system_user(), reason="Withdrawn")
    assert asked(pipeline, version).verdict == "allow"
    model.move_to(Stage.RETIRED, actor=system_user(), reason="Out of use")
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert answer.reasons[0]["rule"] == "retired"


def test_evidence_of_what_runs_there_now_changes_the_answer_for_the_next(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    approved(cast, model, version)
    record_deployment(actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["de"])
    newer = make_version(model, "1.2.0")
    with_evidence(newer)
    approved(cast, model, newer, first=False)
    policy(cast, "de", rules={"no-worse": "evidence.metrics.recall.low >= previous.metrics.recall.low"})
    assert asked(pipeline, newer).verdict == "allow"
    with_evidence(version, data=metrics("0.99", "0.97"))
    assert asked(pipeline, newer).verdict == "deny"


@pytest.mark.parametrize("about", ["role", "policy"])
def test_configuration_that_no_verb_tells_the_gate_of_changes_the_answer(
    about: str, cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    approved(cast, model, version)
    stricter = policy(cast, "de", rules={"tier": "model.tier == 1"}).policy
    asked(pipeline, version)
    kept = Standing.objects.get().marks
    noun = cast.roles["owner"] if about == "role" else stricter
    with acting(system_user(), "Another name"):
        noun.name = "Renamed"
        noun.save()
    answer = asked(pipeline, version)
    assert Standing.objects.get().marks != kept
    assert about == "policy" or answer.reasons[0]["who"] == "Renamed"


def test_a_transaction_that_took_its_number_early_and_commits_late_is_seen(
    cast: Cast, model: RegisteredModel, version: ModelVersion
) -> None:
    before = standing.marks_of(version)
    environment = cast.environments["production"]
    row = environment.history.first()
    with acting(system_user(), "Begun before the others, done after them"):
        row.pk = -1
        row._state.adding = True
        row.save(force_insert=True)
    assert standing.marks_of(version) != before


def test_with_every_policy_gone_it_is_undecided(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    from governance.policies.models import PolicyVersion

    PolicyVersion.objects.get().retire(actor=system_user(), reason="Gone")
    answer = asked(pipeline, version)
    assert answer.verdict == "undecided"
    assert "No policy is in force" in answer.reasons[0]["text"]


def test_it_answers_for_exactly_that_place(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    assert asked(pipeline, version, region="fr").verdict == "deny"
    assert asked(pipeline, version, environment="staging").verdict == "deny"


def test_a_change_altered_behind_our_back_is_no_approval(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    change = approved(cast, model, version)
    with acting(system_user(), "An attack that even leaves history"):
        change.rollout_plan = "Something nobody approved"
        change.save()
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert "is not what was approved" in answer.reasons[0]["text"]


def test_a_standing_made_with_an_update_is_not_believed(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    policy(cast)
    assert asked(pipeline, version).verdict == "deny"
    Standing.objects.update(verdict="allow", document={"reasons": [], "alternatives": [], "change": None, "policies": [], "permit": None})
    assert asked(pipeline, version).verdict == "deny"
    Standing.objects.update(valid_until=timezone.now() + timedelta(days=9))
    assert asked(pipeline, version).verdict == "deny"


def test_another_version_took_the_place_so_the_old_approval_is_out(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    policy(cast, "eu", rules={"plan": "change.has_rollback_plan"})
    approved(cast, model, version)
    production = cast.environments["production"]
    record_deployment(actor=pipeline, version=version, environment=production, region=cast.regions["de"])
    newer = make_version(model, "1.2.0")
    with_evidence(newer)
    approved(cast, model, newer, first=False)
    assert asked(pipeline, version).verdict == "allow"  # still what runs there
    record_deployment(actor=pipeline, version=newer, environment=production, region=cast.regions["de"])
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert "another version has taken the place" in answer.reasons[0]["text"]
    assert len(answer.reasons) == 1, "the change had a plan, so nobody is told that there is none"
    assert {"kind": "version", "version": "1.2.0"}.items() <= answer.alternatives[0].items()


def test_what_runs_stands_in_the_dossier_at_once(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    places = {"key": "places", "title": "Where it runs", "type": "list", "provider": "deployments"}
    template = Template(
        slug="card", name="Card", region=cast.regions["global"], sections=[{"key": "use", "title": "Use", "blocks": [places]}]
    )
    with acting(system_user(), "A template"):
        template.save()
    template.publish(actor=system_user())
    approved(cast, model, version)
    target = {"environment": cast.environments["production"], "region": cast.regions["de"]}
    for _told_twice in range(2):
        record_deployment(actor=pipeline, version=version, **target)
    first, then = Dossier.objects.get(model=model).revisions.order_by("number")
    assert first.content["blocks"]["use.places"]["value"] == []  # as it was approved
    assert then.content["blocks"]["use.places"]["value"] == ["1.1.0 in Production, Germany"]
    assert then.version == version


def test_a_lapsed_approval_is_none_even_before_the_chore_says_so(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    change = approved(cast, model, version)
    with acting(system_user(), "Time passes"):
        change.expires_at = timezone.now() - timedelta(seconds=1)
        change.save(update_fields=["expires_at"])
    assert asked(pipeline, version).verdict == "deny"


def test_what_does_not_exist_or_may_not_be_seen(cast: Cast, version: ModelVersion, pipeline: User, gita: User) -> None:
    with pytest.raises(UnknownVersion):
        ask(model="nothing", version="1", environment="production", region="de", actor=pipeline)
    with pytest.raises(UnknownVersion):
        asked(gita, version)
    with pytest.raises(UnknownTarget) as refused:
        asked(pipeline, version, environment="moon")
    assert refused.value.field == "environment"
    assert "staging" in refused.value.remedy
    with pytest.raises(UnknownTarget) as refused:
        asked(pipeline, version, region="moon")
    assert refused.value.field == "region"


def test_what_is_possible_instead_is_said(cast: Cast, model: RegisteredModel, pipeline: User) -> None:
    policy(cast, rules={"recall": "!target.production || evidence.metrics.recall.low >= 0.99"})
    version = make_version(model, "1.2.0")
    with_evidence(version)
    answer = asked(pipeline, version)
    assert answer.verdict == "deny"
    assert [each["environment"] for each in answer.alternatives] == ["staging"]
    assert "needs an approval only" in answer.alternatives[0]["text"]


def test_the_answer_kept_is_the_answer_computed(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    kept = asked(pipeline, version)
    place = Place(version, cast.environments["production"], cast.regions["de"])
    assert evaluate(place, timezone.now()).verdict == kept.verdict
