"""What cannot be a rule or a mapping is refused where it is typed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from monitoring.signals.mapping import complaints, translated
from monitoring.signals.models import Source
from monitoring.thresholds.inherit import Parameter, Said, Unusable, parse, settle
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.resolve import effective
from monitoring.thresholds.rules import Direction
from tests.monitoring.conftest import START, Send, saved, window

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"levels": []}, "levels"),
        ({"levels": {}}, "levels"),
        ({"levels": {"act": "high"}}, "levels"),
        ({"levels": {"panic": 1}}, "levels"),
        ({"levels": {"observe": 2, "act": 1}}, "levels"),
        ({"direction": "outside_range", "levels": {"act": [Decimal(1), Decimal(2)]}, "margin": Decimal(2)}, "margin"),
        ({"freedoms": {"colour": "fixed"}}, "freedoms"),
        ({"freedoms": {"act": "whatever"}}, "freedoms"),
        ({"freedoms": ["min_n"]}, "freedoms"),
        ({"freedoms": 5}, "freedoms"),
        ({"freedoms": "fixed"}, "freedoms"),
        ({"freedoms": {"act": {"low": [], "high": 1}}}, "freedoms"),
        ({"levels": {"act": Decimal("1e400")}}, "levels"),
        ({"levels": {"act": {"high": 1}}}, "levels"),
        ({"next_actions": {"panic": "Run"}}, "next_actions"),
        ({"next_actions": {"act": {"do": "Run"}}}, "next_actions"),
        ({"next_actions": ["act"]}, "next_actions"),
    ],
)
def test_a_rule_that_could_not_judge_is_refused(rule: Rule, change: dict[str, Any], field: str) -> None:
    for name, value in change.items():
        setattr(rule, name, value)
    with pytest.raises(ValidationError) as refused:
        rule.clean()
    assert list(refused.value.message_dict) == [field]


def test_what_no_calendar_holds_is_refused(rule: Rule) -> None:
    rule.expected_every_minutes = rule.grace_minutes = 2_147_483_647
    with pytest.raises(ValidationError) as refused:
        rule.full_clean()
    assert set(refused.value.message_dict) == {"expected_every_minutes", "grace_minutes"}
    with pytest.raises(Unusable):
        parse(Direction.HIGHER, Parameter.EXPECTED_EVERY, 10**9)


def test_a_rule_that_can_judge_is_accepted(rule: Rule) -> None:
    rule.freedoms = {"act": {"low": Decimal("0.2"), "high": Decimal("0.5")}, "min_n": "fixed", "margin": "tighten"}
    rule.clean()
    assert rule.freedom()[Parameter.ACT].free


def test_a_broken_value_changes_nothing_and_is_named(send: Send, rule: Rule, cast: Any) -> None:
    saved(Override(rule=rule, region=cast.regions["eu"], parameter="act", value="broken", valid_from=START))
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.46))
    found = effective(rule.tracks.get().series, START)[0]
    setting = found.settings[Parameter.ACT]
    assert (setting.value.high, setting.node, setting.clamped) == (Decimal("0.3"), "Global", ("EU",))
    assert found.expected_every is not None
    nothing = settle({}, "Global", [Said("EU", Parameter.ACT, "broken")], Direction.HIGHER, {})
    assert nothing == {}


def test_a_bound_pulled_in_by_a_worse_level_belongs_to_whoever_set_that(send: Send, rule: Rule, cast: Any) -> None:
    saved(Override(rule=rule, region=cast.regions["eu"], parameter="act", value=Decimal("0.05"), valid_from=START))
    send(window(0, 0.01))
    document = effective(rule.tracks.get().series, START)[0].document()
    assert {level: band["node"] for level, band in document["bands"].items()} == {"observe": "EU", "investigate": "EU", "act": "EU"}
    assert len(effective(rule.tracks.get().series, START)[0].digest()) == 64


@pytest.mark.parametrize(
    "mapping",
    [
        [],
        {"colours": {}},
        {"regions": []},
        {"regions": {"DE": 1}},
        {"levels": {"page": "panic"}},
        {"default_level": "panic"},
    ],
)
def test_a_mapping_that_could_not_be_applied_is_refused(source: Source, mapping: Any) -> None:
    assert len(complaints(mapping)) == 1
    source.mapping = mapping
    if mapping:
        with pytest.raises(ValidationError) as refused:
            source.clean()
        assert list(refused.value.message_dict) == ["mapping"]


def test_a_mapping_translates_and_leaves_the_rest(source: Source) -> None:
    mapping = {"regions": {"DE": "de"}, "levels": {"page": "act"}, "default_level": "observe", "labels": {"model": "service"}}
    assert complaints(mapping) == []
    assert (translated(mapping, "region", "DE"), translated(mapping, "region", "FR"), translated({}, "model", "a")) == ("de", "FR", "a")
    source.kind = "smoke signals"
    with pytest.raises(ValidationError):
        source.clean()
