"""An act-level alert drafts the way back, once, and names itself as the origin."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.registry import inbox
from governance.changes.models import ChangeRequest, Kind, Status
from governance.changes.origin import on_alert
from monitoring.alerts.models import Alert
from stewardship.inventory.deploy import record
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.notices.models import Notice
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version


def an_alert(cast: Cast, model: RegisteredModel, level: str = "act", region: str = "de") -> Alert:
    alert = Alert(
        kind="external", cause=f"drift {level} {region}", model=model, region=cast.regions[region], level=level,
        title="Drift is 0.46, above 0.25", began_at=timezone.now(), opened_at=timezone.now(),
    )  # fmt: skip
    with acting(system_user(), "An alert"):
        alert.save()
    return alert


@pytest.fixture
def two_versions(cast: Cast, model: RegisteredModel) -> tuple[ModelVersion, ModelVersion]:
    old, new = make_version(model, "1.0.0"), make_version(model, "1.1.0")
    for version in (old, new):
        record(actor=system_user(), version=version, environment=cast.environments["production"], region=cast.regions["de"])
    return old, new


def test_the_version_before_is_the_way_back(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion], alice: User
) -> None:
    alert = an_alert(cast, model)
    change = on_alert(alert, actor=system_user())
    assert change is not None
    assert change.kind == Kind.ROLLBACK
    assert change.status == Status.DRAFT
    assert change.version == two_versions[0]
    assert change.rollback.target_version == two_versions[1]
    assert change.owner == alice
    assert change.origin_kind == "alert"
    assert change.origin_id == alert.pk
    assert "0.46" in change.rationale
    assert change.environment == cast.environments["production"]
    # The same deployment again: the draft that is open is the one to work on.
    assert on_alert(an_alert(cast, model, region="eu"), actor=system_user()) is None
    assert ChangeRequest.objects.count() == 1


def test_the_draft_is_found_from_the_alert_the_inbox_and_a_notice(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion], alice: User, gita: User
) -> None:
    alert = an_alert(cast, model)
    change = on_alert(alert, actor=system_user())
    assert change is not None

    def shown(person: User, url: str) -> str:
        client = Client()
        client.force_login(person)
        return " ".join(re.sub(r"<[^>]+>", " ", client.get(url).content.decode()).split())

    assert f"What came of it {change} Draft Check and submit" in shown(alice, alert.get_absolute_url())
    told = shown(cast.users["bob"], alert.get_absolute_url())
    assert f"What came of it {change} Draft" in told
    assert "Check and submit" not in told  # he may not
    assert [str(item.title) for item in inbox.items(alice, timezone.now()) if "Drafted for you" in str(item.meta)] == [str(change)]
    assert str(change) in shown(alice, reverse("inbox"))
    assert not [item for item in inbox.items(gita, timezone.now()) if str(item.title) == str(change)]
    notice = Notice.objects.get(cause_kind="change", step="drafted", channel="portal")
    assert notice.recipient == alice
    assert notice.link == change.get_absolute_url()
    change.withdraw(actor=alice, reason="A false alarm")
    assert "Withdrawn" in shown(alice, alert.get_absolute_url())
    assert str(change) not in shown(alice, reverse("inbox"))


def test_only_the_act_level_and_only_where_there_is_a_way_back(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion]
) -> None:
    assert on_alert(an_alert(cast, model, "investigate"), actor=system_user()) is None
    assert ChangeRequest.objects.count() == 0


def test_without_anything_live_or_before_nothing_is_drafted(cast: Cast, model: RegisteredModel) -> None:
    assert on_alert(an_alert(cast, model), actor=system_user()) is None
    record(actor=system_user(), version=make_version(model), environment=cast.environments["production"], region=cast.regions["de"])
    assert on_alert(an_alert(cast, model, region="eu"), actor=system_user()) is None
    assert ChangeRequest.objects.count() == 0


def ran(cast: Cast, version: ModelVersion, region: str = "de", environment: str = "production") -> None:
    record(actor=system_user(), version=version, environment=cast.environments[environment], region=cast.regions[region])


def test_a_version_that_was_left_by_going_back_is_no_way_back(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion]
) -> None:
    old, new = two_versions
    ran(cast, old)
    assert on_alert(an_alert(cast, model), actor=system_user()) is None
    ran(cast, new)
    again = on_alert(an_alert(cast, model, region="eu"), actor=system_user())
    assert again is not None
    assert again.version == old  # forward once more: the way back is what it was


def test_after_going_back_the_next_way_back_is_what_ran_before_that(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion]
) -> None:
    old, new = two_versions
    ran(cast, make_version(model, "1.2.0"))
    ran(cast, new)
    change = on_alert(an_alert(cast, model), actor=system_user())
    assert change is not None
    assert (change.version, change.rollback.target_version) == (old, new)


def test_nothing_is_drafted_for_what_runs_beside_the_alert(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion]
) -> None:
    assert on_alert(an_alert(cast, model, region="fr"), actor=system_user()) is None
    for version in two_versions:
        ran(cast, version, "fr")
    # Two places below the EU have a version: which of them is meant is not known.
    assert on_alert(an_alert(cast, model, region="eu"), actor=system_user()) is None
    assert ChangeRequest.objects.count() == 0


def test_the_nearest_deployment_that_serves_the_region_is_meant(
    cast: Cast, model: RegisteredModel, two_versions: tuple[ModelVersion, ModelVersion]
) -> None:
    for version in two_versions:
        ran(cast, version, "global")
        ran(cast, version, "emea")
    ran(cast, two_versions[1], "fr", "staging")
    change = on_alert(an_alert(cast, model, region="fr"), actor=system_user())
    assert change is not None
    assert (change.region, change.environment) == (cast.regions["emea"], cast.environments["production"])
