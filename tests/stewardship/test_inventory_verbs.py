"""Registering, moving, deploying: each refusal names its field, and nothing is half written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from config.portal.errors import DomainError, Forbidden, IllegalTransition
from stewardship.access.errors import NotVisible
from stewardship.inventory import deploy
from stewardship.inventory.errors import AlreadyRegistered, BadDigest, BadField, BadShare, NotLive
from stewardship.inventory.models import TRANSITIONS, DataDomain, Deployment, ModelVersion, Project, RegisteredModel, Stage
from stewardship.inventory.register import check_digest, digest_of, edit_model, register_model, register_version
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.regions.models import LegalEntity
from tests.cast import Cast, make_family, make_model, make_version


class TestModels:
    def test_a_model_starts_as_a_concept(self, cast: Cast, model: RegisteredModel) -> None:
        assert (model.stage, model.tier, str(model)) == (Stage.CONCEPT, None, "Tumour risk")
        assert model in RegisteredModel.objects.not_retired()
        assert model not in RegisteredModel.objects.in_use()

    @pytest.mark.parametrize(
        ("change", "error", "field"),
        [
            ({"slug": "tumour-risk"}, AlreadyRegistered, "slug"),
            ({"slug": "no slug"}, BadField, "slug"),
            ({"purpose": ""}, BadField, "purpose"),
            ({"ruling": "non_model"}, BadField, "ruling_rationale"),
            ({"colour": "red"}, BadField, "colour"),
            ({"legal_entity": "japanese"}, BadField, "legal_entity"),
        ],
    )
    def test_refusals(self, cast: Cast, model: RegisteredModel, change: dict[str, Any], error: type[DomainError], field: str) -> None:
        if "legal_entity" in change:
            change = {"legal_entity": LegalEntity(name="KK", region=cast.regions["jp"])}
            with acting(system_user()):
                change["legal_entity"].save()
        given = {"slug": "triage", "name": "Triage", "purpose": "Sorts", **change}
        with pytest.raises(error) as refusal:
            register_model(actor=cast.users["alice"], family=model.family, region=cast.regions["de"], **given)
        assert refusal.value.field == field
        assert refusal.value.remedy
        assert RegisteredModel.objects.count() == 1

    def test_a_legal_entity_above_answers_too(self, cast: Cast) -> None:
        entity = LegalEntity(name="SE", region=cast.regions["eu"])
        with acting(system_user()):
            entity.save()
        made = register_model(
            actor=cast.users["alice"],
            family=make_family(cast),
            region=cast.regions["de"],
            slug="triage",
            name="Triage",
            purpose="Sorts",
            legal_entity=entity,
        )
        assert made.legal_entity == entity

    def test_only_where_one_may(self, cast: Cast) -> None:
        with pytest.raises(NotVisible):
            register_model(actor=cast.users["alice"], family=make_family(cast), region=cast.regions["jp"], slug="x", name="X", purpose="Y")

    def test_editing(self, cast: Cast, model: RegisteredModel) -> None:
        alice = cast.users["alice"]
        edit_model(model, actor=alice, reason="Clearer", purpose="Sorts images", technique="trees")
        assert RegisteredModel.objects.get(pk=model.pk).purpose == "Sorts images"
        assert model.history.latest("history_date").history_change_reason == "Clearer"
        before = model.history.count()
        edit_model(model, actor=alice, reason="Nothing")
        assert model.history.count() == before
        with pytest.raises(BadField):
            edit_model(model, actor=alice, reason="Up", tier=1)
        with pytest.raises(BadField):
            edit_model(model, actor=alice, reason="Empty", purpose="")
        with pytest.raises(Forbidden):
            edit_model(model, actor=cast.users["bob"], reason="Mine", purpose="?")

    def test_tier(self, cast: Cast, model: RegisteredModel) -> None:
        kate = cast.users["kate"]
        model.set_tier(2, actor=kate, reason="Assessed")
        model.set_tier(2, actor=kate, reason="Again")
        assert model.history.count() == 2
        with pytest.raises(BadField):
            model.set_tier(5, actor=kate, reason="Worse")
        with pytest.raises(Forbidden):
            model.set_tier(4, actor=cast.users["alice"], reason="Cheaper")
        with pytest.raises(IntegrityError), transaction.atomic(), acting(kate):
            model.tier = 9
            model.save()

    @pytest.mark.parametrize("wanted", list(Stage))
    @pytest.mark.parametrize("current", list(Stage))
    def test_every_step_is_in_the_table_or_refused(self, cast: Cast, model: RegisteredModel, current: Stage, wanted: Stage) -> None:
        model.stage = current
        with acting(system_user(), "For the test"):
            model.save()
        if wanted in TRANSITIONS.get(current, frozenset()):
            model.move_to(wanted, actor=cast.users["alice"], reason="Next")
            assert RegisteredModel.objects.get(pk=model.pk).stage == wanted
        else:
            with pytest.raises(IllegalTransition):
                model.move_to(wanted, actor=cast.users["alice"], reason="Jump")
            assert RegisteredModel.objects.get(pk=model.pk).stage == current


class TestVersions:
    def test_a_digest_is_sha256(self) -> None:
        assert check_digest("sha256:" + digest_of(b"artifact")) == digest_of(b"artifact")
        for text in ("", "abc", "A" * 64, "g" * 64, "sha256:"):
            with pytest.raises(BadDigest):
                check_digest(text)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"label": "1.0.0"}, "label"),
            ({"digest": "same"}, "digest"),
            ({"label": " "}, "label"),
            ({"datasets": [0.5]}, "datasets"),
            ({"datasets": ["\ud800"]}, "datasets"),
            ({"datasets": [10**400]}, "datasets"),
            ({"libraries": {"\ud800": "1"}}, "libraries"),
            ({"parent": "foreign"}, "parent"),
        ],
    )
    def test_refusals(self, cast: Cast, version: ModelVersion, change: dict[str, Any], field: str) -> None:
        given: dict[str, Any] = {"label": "2.0.0", "digest": "a" * 64, **change}
        if given["digest"] == "same":
            given["digest"] = version.digest
        if given.get("parent"):
            given["parent"] = make_version(make_model(cast, "credit-line", "jp"))
        before = ModelVersion.objects.count()
        with pytest.raises(DomainError) as refusal:
            register_version(actor=cast.users["alice"], model=version.model, **given)
        assert refusal.value.field == field
        assert ModelVersion.objects.count() == before

    def test_the_same_label_at_another_model_is_fine(self, cast: Cast, version: ModelVersion) -> None:
        assert str(make_version(make_model(cast, "other", "de"))) == str(version)

    def test_a_parent_of_another_model_is_refused_in_forms_too(self, cast: Cast, version: ModelVersion) -> None:
        other = make_version(make_model(cast, "other", "de"))
        other.parent = version
        with pytest.raises(ValidationError):
            other.clean()


class TestDeployments:
    def test_the_new_one_ends_the_old_one(self, cast: Cast, deployment: Deployment) -> None:
        before = datetime.now(UTC)
        nxt = make_version(deployment.model, "1.1.0")
        place = {"environment": cast.environments["production"], "region": cast.regions["de"]}
        made = deploy.record(actor=cast.users["alice"], version=nxt, **place)
        deployment.refresh_from_db()
        assert deployment.ended_at == made.started_at
        assert list(deployment.model.live()) == [made]
        assert list(deployment.model.live(before)) == [deployment]
        assert list(Deployment.objects.live(deployment.started_at - timedelta(seconds=1))) == []
        assert deploy.record(actor=cast.users["alice"], version=nxt, **place) == made
        smaller = deploy.record(actor=cast.users["alice"], version=nxt, share=Decimal("0.5"), **place)
        assert smaller != made
        assert str(smaller) == "1.1.0 · Production · Germany"

    def test_places_are_apart(self, cast: Cast, deployment: Deployment) -> None:
        for environment, region in (("staging", "de"), ("production", "fr")):
            deploy.record(
                actor=system_user(),
                version=deployment.version,
                environment=cast.environments[environment],
                region=cast.regions[region],
            )
        assert deployment.model.live().count() == 3

    def test_ending(self, cast: Cast, deployment: Deployment) -> None:
        deploy.end(deployment, actor=cast.users["alice"])
        assert not deployment.model.live().exists()
        with pytest.raises(NotLive):
            deploy.end(deployment, actor=cast.users["alice"])
        with pytest.raises(Forbidden):
            deploy.end(deployment, actor=cast.users["bob"])

    @pytest.mark.parametrize("share", ["0", "-1", "1.01"])
    def test_a_share_is_part_of_the_traffic(self, cast: Cast, version: ModelVersion, share: str) -> None:
        with pytest.raises(BadShare):
            deploy.record(
                actor=system_user(),
                version=version,
                environment=cast.environments["production"],
                region=cast.regions["de"],
                share=Decimal(share),
            )

    def test_the_database_knows_one_live_deployment_of_a_place(self, cast: Cast, deployment: Deployment) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), acting(system_user()):
            Deployment(
                model=deployment.model,
                version=deployment.version,
                environment=deployment.environment,
                region=deployment.region,
                started_at=datetime.now(UTC),
            ).save()


def test_names(cast: Cast) -> None:
    assert str(Project(name="Fraud")) == "Fraud"
    assert str(DataDomain(name="Claims")) == "Claims"
    assert str(cast.environments["staging"]) == "Staging"
    assert str(make_family(cast)) == "Tumour risk"


def test_a_right_on_a_model_does_not_reach_into_a_foreign_region(cast: Cast, version: ModelVersion, alice: User) -> None:
    staging = cast.environments["staging"]
    with pytest.raises((Forbidden, NotVisible)):
        deploy.record(actor=alice, version=version, environment=staging, region=cast.regions["jp"])
    assert not Deployment.objects.exists()
    assert deploy.record(actor=alice, version=version, environment=staging, region=cast.regions["de"]).region == cast.regions["de"]
