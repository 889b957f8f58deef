"""What a yes is good for: permits, deployments, and answers that are kept ready."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.changes.models import Status
from governance.gate import keys, permits, standing
from governance.gate.deploy import record_deployment
from governance.gate.errors import NotAllowed, PermitRefused
from governance.gate.judge import Place
from governance.gate.models import Permit, Standing
from governance.policies.draft import next_version
from governance.policies.waive import grant
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel, Stage
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast
from tests.governance.change_case import fresh, policy
from tests.governance.gate_case import approved, asked, built


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    return built(model)


def test_a_deployment_needs_a_yes_and_carries_the_change_out(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    place = {"version": version, "environment": cast.environments["production"], "region": cast.regions["de"]}
    with pytest.raises(NotAllowed, match="Nobody has approved"):
        record_deployment(actor=pipeline, **place)
    change = approved(cast, model, version)
    answer = asked(pipeline, version)
    assert answer.permit is not None
    with pytest.raises(PermitRefused, match="another region"):
        record_deployment(actor=pipeline, **(place | {"region": cast.regions["fr"]}), permit=answer.permit)
    deployment = record_deployment(actor=pipeline, **place, permit=answer.permit)
    assert deployment == Deployment.objects.live().get()
    change = fresh(change)
    assert change.status == Status.IMPLEMENTED
    assert change.implemented_at is not None
    model.refresh_from_db()
    assert model.stage == Stage.MONITORING
    # Told twice it is one deployment, and the change stays as it is.
    assert record_deployment(actor=pipeline, **place) == deployment


def test_permits_are_refused_when_anything_is_wrong_with_them(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    approved(cast, model, version)
    token = asked(pipeline, version).permit
    assert token is not None
    head, body, signature = token.split(".")
    for broken in (
        "",
        "a.b",
        "a.b.c",
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head[:-2]}.{body}.{signature}",
        "é.é.é",
    ):
        with pytest.raises(PermitRefused):
            permits.verify(broken, keys.public_key())
    with pytest.raises(PermitRefused):
        permits.verify(token, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(PermitRefused, match="expired"):
        permits.verify(token, keys.public_key(), at=timezone.now() + timedelta(days=2))
    assert permits.verify(token, keys.public_key())["model"] == model.slug


def test_one_permit_lasts_for_many_questions(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    first = asked(pipeline, version).permit
    Standing.objects.update(valid_until=timezone.now())
    assert standing.renew(timezone.now()) == 1
    assert asked(pipeline, version).permit == first
    assert Permit.objects.count() == 1


def test_a_permit_ends_with_what_it_rests_on(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    approved(cast, model, version)
    long = asked(pipeline, version).permit
    policy(cast, "de", rules={"tier": "model.tier == 1"})
    ends = timezone.now() + timedelta(minutes=20)
    grant(
        actor=system_user(), model=model, region=model.region, rule="policy-de/tier", reason="For now", compensating_control="A look",
        expires_at=ends,
    )  # fmt: skip
    short = asked(pipeline, version).permit
    assert short is not None
    assert short != long
    assert permits.verify(short, keys.public_key())["exp"] == int(ends.timestamp())
    assert Standing.objects.get().valid_until <= ends
    Standing.objects.all().delete()
    assert asked(pipeline, version).permit == short, "no new one is to be had that lasts longer"


def test_a_permit_that_outlives_a_new_end_is_not_given_again(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    approved(cast, model, version)
    first = asked(pipeline, version).permit
    replaced = policy(cast, "eu", rules={"any": "true"})
    second = asked(pipeline, version).permit
    later = next_version(replaced.policy, actor=system_user())
    later.publish(actor=system_user(), effective_from=timezone.now() + timedelta(hours=2))
    third = asked(pipeline, version).permit
    assert third is not None
    assert len({first, second, third}) == 3
    assert permits.verify(third, keys.public_key())["exp"] <= (timezone.now() + timedelta(hours=2)).timestamp()


def test_what_waits_for_its_deployment_is_kept_ready_and_without_a_new_permit(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    change = approved(cast, model, version)
    place = Place(version, cast.environments["production"], cast.regions["de"])
    assert standing.renew(timezone.now()) == 0, "it is ready"
    for lost in (lambda: Standing.objects.update(valid_until=timezone.now()), standing.drop):
        lost()
        assert standing.kept(place, timezone.now())[1] is False
        assert standing.renew(timezone.now()) == 1
        assert standing.kept(place, timezone.now())[1] is True
    assert Permit.objects.count() == 1
    Standing.objects.update(valid_until=timezone.now())
    change.withdraw(actor=cast.users["alice"], reason="Not any more")
    assert standing.renew(timezone.now()) == 0, "nobody waits for it now"


def test_what_was_asked_lately_is_renewed_and_without_a_new_permit(
    cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User
) -> None:
    approved(cast, model, version)
    record_deployment(actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["de"])
    Standing.objects.update(valid_until=timezone.now())
    assert standing.renew(timezone.now()) == 0, "nobody has asked"
    asked(pipeline, version)
    Standing.objects.update(valid_until=timezone.now())
    long_after = timezone.now() + standing.ASKED_LATELY + timedelta(minutes=1)
    assert standing.renew(long_after) == 0
    policy(cast, "eu", rules={"any": "true"})  # the permit says which policies it was given under
    issued = Permit.objects.count()
    assert standing.renew(timezone.now()) == 1
    assert Permit.objects.count() == issued
    assert asked(pipeline, version).permit is not None
    assert Permit.objects.count() == issued + 1


def test_practice_gets_no_permit_and_moves_no_model(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    with acting(system_user(), "For newcomers"):
        cast.regions["fr"].practice = True
        cast.regions["fr"].save()
    approved(cast, model, version, region=cast.regions["fr"])
    answer = asked(pipeline, version, region="fr")
    assert answer.verdict == "allow"
    assert answer.permit is None
    assert [reason["rule"] for reason in answer.reasons] == ["practice"]
    assert not Permit.objects.exists()
    with CaptureQueriesContext(connection) as seen:
        asked(pipeline, version, region="fr")
    assert len(seen) == 2
    record_deployment(actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["fr"])
    model.refresh_from_db()
    assert model.stage == Stage.CONCEPT
