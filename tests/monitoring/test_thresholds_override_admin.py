"""A regional admin tightens a rule of the root for the own region, in the configuration, and sees how far that goes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.thresholds.errors import ThresholdRefused
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.override import end, override
from monitoring.thresholds.resolve import effective
from monitoring.thresholds.rules import Level
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from tests.cast import Cast
from tests.monitoring.conftest import START, Send, saved, window

pytestmark = pytest.mark.django_db
ADD = "/monitoring/override/add/"


@pytest.fixture
def fields(rule: Rule, cast: Cast) -> dict[str, Any]:
    return {
        "rule": str(rule.pk),
        "region": str(cast.regions["eu"].pk),
        "parameter": "act",
        "value": "0.25",
        "reason": "Closer to patients",
    }


@pytest.fixture
def regional(client: Client, frank: User) -> Client:
    """Frank configures the EU and sees no rule of the root."""
    client.force_login(frank)
    return client


def test_a_region_tightens_a_rule_of_the_root(regional: Client, rule: Rule, fields: dict[str, Any], frank: User, cast: Cast) -> None:
    assert not Rule.objects.allowed(frank, "thresholds:rule:configure").exists()
    text = regional.get(ADD).content.decode()
    assert "What EU may set" in text
    assert f'<option value="{rule.pk}">' in text
    assert "at most 0.3" in text
    assert regional.post(ADD, fields).status_code == 302
    made = Override.objects.get()
    assert (made.region, made.value, made.rationale) == (cast.regions["eu"], Decimal("0.25"), "Closer to patients")
    assert (made.history.get().history_user_id, made.history.get().history_change_reason) == (frank.pk, "Closer to patients")
    shown = regional.get(f"/monitoring/override/{made.pk}/change/")
    assert "Closer to patients" in shown.content.decode()
    assert regional.post(f"/monitoring/override/{made.pk}/change/", fields | {"value": "0.1"}).status_code == 403
    below = regional.get(f"{ADD}?region={cast.regions['de'].pk}").content.decode()
    assert "What Germany may set" in below
    assert "at most 0.25" in below


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "0.35"}, "value"),
        ({"value": "high"}, "value"),
        ({"value": "0.1 to"}, "value"),
        ({"region": ""}, "region"),
        ({"valid_until_0": "2020-01-01", "valid_until_1": "00:00:00"}, "valid_until"),
        ({"parameter": "colour"}, "parameter"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_goes_too_far_is_refused_beside_its_field(
    regional: Client, fields: dict[str, Any], change: dict[str, str], field: str
) -> None:
    reply = regional.post(ADD, fields | change)
    assert (reply.status_code, list(reply.context["adminform"].errors)) == (200, [field])
    assert not Override.objects.exists()


def test_only_where_one_configures(
    regional: Client, fields: dict[str, Any], cast: Cast, foreign_model: RegisteredModel, model: RegisteredModel, bob: User
) -> None:
    for change in ({"region": str(cast.regions["jp"].pk)}, {"region": "", "model": str(foreign_model.pk)}):
        assert regional.post(ADD, fields | change).status_code == 200
    assert not Override.objects.exists()
    assert regional.post(ADD, fields | {"region": "", "model": str(model.pk)}).status_code == 302
    assert Override.objects.get().model == model
    regional.force_login(bob)
    assert regional.get(ADD).status_code == 403


def test_a_rule_of_another_branch_cannot_be_chosen(regional: Client, rule: Rule, fields: dict[str, Any], cast: Cast) -> None:
    rule.region = cast.regions["jp"]
    saved(rule)
    assert regional.post(ADD, fields).status_code == 200
    assert "No rule holds there" in regional.get(ADD).content.decode()


def test_what_a_rule_leaves_free_or_fixes_is_said(regional: Client, rule: Rule) -> None:
    rule.freedoms = {"act": {"low": Decimal("0.2"), "high": Decimal("0.5")}, "observe": "fixed"}
    rule.margin = Decimal("0.05")
    saved(rule)
    text = regional.get(ADD).content.decode()
    assert "0.2 to 0.5" in text
    assert "at least 0.05" in text
    assert "any value" in text  # how often it is expected, nobody says
    assert "<td>bound of observe</td>" not in text
    rule.direction, rule.levels, rule.freedoms = "outside_range", {"act": [Decimal(1), Decimal(5)]}, {}
    saved(rule)
    assert "a range inside 1 – 5" in regional.get(ADD).content.decode()


def test_an_override_is_ended_and_the_rule_holds_again(
    regional: Client, send: Send, rule: Rule, fields: dict[str, Any], frank: User, bob: User, cast: Cast
) -> None:
    regional.post(ADD, fields)
    made = Override.objects.get()
    send(window(0, 0.01))
    series = rule.tracks.get().series
    assert effective(series, timezone.now())[0].owner_of(Level.ACT) == "EU"
    with pytest.raises((Forbidden, NotVisible)):
        end(made, actor=bob, reason="Too strict")
    chosen = {"action": "end", "_selected_action": str(made.pk)}
    regional.post("/monitoring/override/", chosen)
    assert effective(series, timezone.now())[0].owner_of(Level.ACT) == "Global"
    assert "It has ended already." in regional.post("/monitoring/override/", chosen, follow=True).content.decode()
    later = override(
        actor=frank, rule=rule, parameter="act", value=Decimal("0.2"), region=cast.regions["eu"], reason="x",
        valid_from=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    end(later, actor=frank, reason="Not after all")
    assert effective(series, later.valid_from + timedelta(seconds=1))[0].owner_of(Level.ACT) == "Global"


def test_an_override_has_exactly_one_scope(rule: Rule, cast: Cast, frank: User, model: RegisteredModel) -> None:
    with pytest.raises(ThresholdRefused) as refused:
        override(
            actor=frank, rule=rule, parameter="act", value=Decimal("0.2"), region=cast.regions["eu"], model=model, reason="x",
            valid_from=START,
        )  # fmt: skip
    assert refused.value.field == "region"


def test_the_overrides_of_a_rule_are_read_together(regional: Client, rule: Rule, cast: Cast, frank: User, model: RegisteredModel) -> None:
    assign(actor=system_user(), role="regional-admin", user=frank, region=cast.regions["global"], rationale="Configures the root")
    url = f"/monitoring/rule/{rule.pk}/change/"
    regional.get(url)  # what is read once for all requests
    prices = []
    for number, (parameter, value) in enumerate((("act", "0.25"), ("investigate", "0.15"), ("observe", "0.05")), start=1):
        override(actor=frank, rule=rule, parameter=parameter, value=Decimal(value), model=model, reason="x", valid_from=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            page = regional.get(url).content.decode()
        assert page.count(f'<option value="{model.pk}" selected>{model.name}</option>') == number
        prices.append(len(asked))
    assert len(set(prices)) == 1, prices
