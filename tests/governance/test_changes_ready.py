"""What cannot be submitted, and what cannot be written at all: refused with field and remedy, never an error of the database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.errors import Invalid
from governance.approvals.submit import submit
from governance.changes.draft import draft
from governance.changes.errors import AlreadyInReview, Incomplete
from governance.changes.facts import Target, assemble
from governance.changes.models import ChangeRequest, Status
from governance.policies.models import Rule
from stewardship.inventory.deploy import record
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def runs(cast: Cast, version: ModelVersion, region: str = "de") -> None:
    record(actor=system_user(), version=version, environment=cast.environments["production"], region=cast.regions[region])


# --- the way back -------------------------------------------------------------------------------


def test_what_never_ran_there_is_no_way_back(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    policy(cast)
    route(cast, kind="rollback")
    change = full_draft(cast, model, version, kind="rollback", rollback=None)
    runs(cast, version, "fr")
    runs(cast, make_version(model, "2.0.0"), "fr")
    with pytest.raises(Incomplete) as refused:  # it ran in France, not here
        submit(change, actor=alice)
    assert refused.value.field == "version"
    assert "1.1.0 did not" in refused.value.remedy
    assert fresh(change).status == Status.DRAFT
    runs(cast, version)
    with pytest.raises(Incomplete):  # it runs there now: going back to it changes nothing
        submit(fresh(change), actor=alice)
    runs(cast, make_version(model, "3.0.0"))
    assert submit(fresh(change), actor=alice).change_id == change.pk


def test_a_policy_can_ask_whether_it_ran_there(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    production = cast.environments["production"]
    here, there = (Target(model, version, production, cast.regions[code]) for code in ("de", "fr"))
    runs(cast, version)
    assert assemble(here, timezone.now())["version"]["ran_there"] is False
    runs(cast, make_version(model, "2.0.0"))
    assert assemble(here, timezone.now())["version"]["ran_there"] is True
    assert assemble(there, timezone.now())["version"]["ran_there"] is False


# --- waivers ------------------------------------------------------------------------------------


def a_waiver(alice: User, model: RegisteredModel, **fields: object) -> ChangeRequest:
    wanted = {
        "rationale": "No ground truth for six weeks", "waived_rule": "policy-global/recall", "compensating_control": "Weekly sample",
        "waiver_until": timezone.now() + timedelta(days=42),
    }  # fmt: skip
    return draft(actor=alice, kind="waiver", model=model, **(wanted | fields))


@pytest.mark.parametrize(
    ("fields", "field", "remedy"),
    [
        ({"waiver_until": timezone.now() - timedelta(days=1)}, "waiver_until", "over already"),
        ({"waived_rule": "policy-global/no-such-rule"}, "waived_rule", "No rule"),
        ({"waived_rule": "policy-de/fixed"}, "waived_rule", "allows no exception"),
    ],
)
def test_a_waiver_that_could_never_be_granted_is_not_put_before_anybody(
    cast: Cast, model: RegisteredModel, alice: User, fields: dict[str, object], field: str, remedy: str
) -> None:
    policy(cast)
    policy(cast, "de", rules={"fixed": "model.tier <= 4"}, waivable=False)
    route(cast, kind="waiver", stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    change = a_waiver(alice, model, **fields)
    with pytest.raises(Incomplete) as refused:
        submit(change, actor=alice)
    assert [name for name, _text in refused.value.missing] == [field]
    assert remedy in refused.value.remedy
    assert fresh(change).status == Status.DRAFT


def test_the_page_of_a_waiver_says_which_rule_until_when_and_by_which_route(
    cast: Cast, model: RegisteredModel, alice: User, client: Client
) -> None:
    policy(cast)
    route(cast, kind="waiver", when="true", stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    until = timezone.now() + timedelta(days=42)
    change = a_waiver(alice, model, waiver_until=until)
    submit(change, actor=alice)
    client.force_login(alice)
    said = " ".join(re.sub(r"<[^>]*>", " ", client.get(change.get_absolute_url()).content.decode()).split())
    assert f"Rule to waive {Rule.objects.get(key='recall').title} policy-global/recall" in said
    assert f"Waiver until {until:%-d %b %Y, %H:%M} UTC" in said
    assert "Every change of this kind in Global goes this way" in said
    assert "How to get back" not in said


@pytest.mark.parametrize("until", [datetime(9999, 12, 31, 23, 30, tzinfo=UTC), datetime(1, 1, 1, 0, 30, tzinfo=UTC)])
def test_a_waiver_ends_at_a_date_that_every_page_can_show(cast: Cast, model: RegisteredModel, alice: User, until: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        a_waiver(alice, model, waiver_until=until)
    assert refused.value.field == "waiver_until"
    change = a_waiver(alice, model)
    with pytest.raises(Invalid):
        change.edit(actor=alice, waiver_until=until)
    assert ChangeRequest.objects.count() == 1


# --- edits in review ----------------------------------------------------------------------------


@pytest.fixture
def in_review(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> ChangeRequest:
    policy(cast)
    route(cast)
    change = full_draft(cast, model, version)
    submit(change, actor=alice)
    return fresh(change)


@pytest.mark.parametrize("field", ["version", "environment"])
def test_what_people_are_asked_about_is_not_emptied(in_review: ChangeRequest, alice: User, bob: User, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        fresh(in_review).edit(actor=alice, **{field: None})
    assert refused.value.field == field
    decides(in_review, bob, "return", "More tests, please")
    with pytest.raises(Invalid):
        fresh(in_review).edit(actor=alice, **{field: None})
    assert fresh(in_review).revision == 1


def test_an_edit_does_not_lead_into_the_review_of_another_change(
    cast: Cast, model: RegisteredModel, version: ModelVersion, in_review: ChangeRequest, alice: User
) -> None:
    other = full_draft(cast, model, version, environment=cast.environments["staging"])
    submit(other, actor=alice)
    with pytest.raises(AlreadyInReview, match=in_review.reference):
        fresh(other).edit(actor=alice, environment=cast.environments["production"])
    assert fresh(other).environment == cast.environments["staging"]


def test_the_form_says_so_at_the_field(cast: Cast, in_review: ChangeRequest, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    form = {
        "version": "", "environment": cast.environments["production"].pk, "region": cast.regions["de"].pk, "rationale": "Better",
        "rollout_plan": "At once", "rollback_trigger": "recall < 0.85", "rollback_steps": "Back", "watch_days": 7,
    }  # fmt: skip
    response = client.post(reverse("change_edit", args=[in_review.pk]), form)
    assert response.status_code == 422
    assert "this is not left open" in response.content.decode()
