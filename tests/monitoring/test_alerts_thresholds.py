"""From measured windows to alerts: levels, episodes, lateness, bounds of regions, and who is called."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.portal.errors import DomainError, IllegalTransition
from monitoring.alerts import answered, hooks
from monitoring.alerts.errors import OutcomeMissing, ReasonMissing
from monitoring.alerts.models import Alert
from monitoring.alerts.silence import sweep
from monitoring.signals.models import Metric, Series
from monitoring.thresholds.errors import ThresholdRefused
from monitoring.thresholds.models import Override, Rule, Track
from monitoring.thresholds.override import override
from monitoring.thresholds.resolve import effective
from monitoring.thresholds.rules import Level
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.coverage.models import Gap
from stewardship.coverage.models import Kind as GapKind
from stewardship.escalation.models import Path, Run
from stewardship.inventory import deploy
from stewardship.inventory.models import Deployment, RegisteredModel
from stewardship.people.models import User, system_user
from tests.cast import Cast
from tests.monitoring.conftest import START, Send, saved, window

pytestmark = pytest.mark.django_db


def test_the_title_says_what_where_how_much_and_whose_bound(send: Send, rule: Rule, path: Path) -> None:
    send(window(0, 0.46))
    alert = Alert.objects.get()
    assert alert.title == "Drift (wasserstein) of Tumour risk in Germany is 0.46, above 0.3 (bound of Global)"
    assert (alert.level, alert.status, alert.next_action, alert.episode) == ("act", "open", "Ask for a rollback.", 1)
    assert (alert.context["value"], alert.context["n"], alert.context["node"]) == (Decimal("0.46"), 60, "Global")


@pytest.mark.parametrize(
    ("name", "method", "subject", "label"),
    [
        ("Brier score", "", "", "Brier score"),
        ("Drift", "psi", "age", "Drift (age, psi)"),
        ("Drift (normalised)", "", "age", "Drift (normalised, age)"),
        ("Share (%) of all", "", "age", "Share (%) of all (age)"),
    ],
)
def test_a_series_is_called_by_the_name_of_its_metric(name: str, method: str, subject: str, label: str) -> None:
    assert Series(metric=Metric(name=name), method=method, subject=subject).label == label


def test_within_bounds_there_is_no_alert_and_the_series_is_known(send: Send, rule: Rule) -> None:
    send(window(0, 0.05))
    assert not Alert.objects.exists()
    track = Track.objects.get()
    assert (track.level, track.reading, track.is_known(START)) == ("ok", "known", True)


def test_an_episode_is_one_alert_that_rises_and_calls_again(send: Send, rule: Rule, path: Path, ivan: User) -> None:
    send(window(0, 0.15))
    alert = Alert.objects.get()
    assert (alert.level, Run.objects.count()) == ("observe", 0)
    send(window(1, 0.25))
    alert.refresh_from_db()
    run = Run.objects.get()
    assert (alert.level, run.level, run.subject_id) == ("investigate", "investigate", alert.pk)
    alert.acknowledge(actor=ivan)
    run.refresh_from_db()
    assert run.status == "acknowledged"
    send(window(2, 0.46))
    alert.refresh_from_db()
    assert (alert.level, alert.status) == ("act", "open")
    assert Run.objects.live().get().level == "act"
    assert Alert.objects.count() == 1


def test_an_observation_ends_by_itself_and_anything_worse_by_a_persons_word(send: Send, rule: Rule, path: Path, ivan: User) -> None:
    send(window(0, 0.15))
    send(window(1, 0.05))
    first = Alert.objects.get()
    assert (first.status, first.resolution) == ("resolved", "source")
    send(window(2, 0.46), window(3, 0.05))
    second = Alert.objects.unresolved().get()
    assert (second.episode, second.level) == (2, "act")
    assert second.cleared_at == START + timedelta(hours=4)
    send(window(4, 0.46))
    second.refresh_from_db()
    assert (second.cleared_at, Alert.objects.count()) == (None, 2)
    second.resolve(actor=ivan, outcome="fixed", reason="Rolled back")
    assert not Run.objects.live().exists()
    send(window(5, 0.25), window(6, 0.4))
    assert Alert.objects.unresolved().get().episode == 3


def test_what_a_person_closed_does_not_come_back_as_it_ebbs_away(send: Send, rule: Rule, path: Path, ivan: User) -> None:
    send(window(0, 0.46))
    Alert.objects.get().resolve(actor=ivan, outcome="accepted", reason="Known and accepted")
    send(window(1, 0.25))
    assert Alert.objects.count() == 1


def test_too_small_a_sample_opens_nothing_and_is_not_called_healthy(send: Send, rule: Rule) -> None:
    rule.min_n = 100
    saved(rule)
    send(window(0, 0.46, n=60))
    assert not Alert.objects.exists()
    track = Track.objects.get()
    assert (track.reading, track.is_known(START)) == ("insufficient", False)


def test_a_late_or_corrected_window_is_judged_in_its_place(send: Send, rule: Rule, path: Path) -> None:
    rule.for_windows = 3
    saved(rule)
    send(window(0, 0.46), window(2, 0.46), window(3, 0.05))
    assert not Alert.objects.exists()
    send(window(1, 0.46))
    assert not Alert.objects.exists()  # it would have been over by now
    send(window(3, 0.46, id="w3 corrected"))
    assert Alert.objects.get().level == "act"


def test_windows_in_any_order_give_the_same_standing(send: Send, rule: Rule, path: Path) -> None:
    rule.for_windows = 2
    saved(rule)
    values = [0.15, 0.46, 0.46, 0.15, 0.46]
    for hour in (3, 0, 4, 1, 2):
        send(window(hour, values[hour], subject="shuffled"))
    send(*(window(hour, value, subject="straight", id=f"t{hour}") for hour, value in enumerate(values)))
    shuffled, straight = (Track.objects.get(series__subject=subject).state for subject in ("shuffled", "straight"))
    assert shuffled == straight


def test_a_region_may_tighten_and_its_name_stands_by_the_bound(send: Send, rule: Rule, path: Path, cast: Cast, frank: User) -> None:
    override(actor=frank, rule=rule, parameter="act", value=Decimal("0.25"), region=cast.regions["eu"], reason="Closer to patients")
    send(window(0, 0.46))
    assert Alert.objects.get().title.endswith("is 0.46, above 0.25 (bound of EU)")
    send(window(0, 0.28, region="jp", id="jp"))
    assert Alert.objects.get(region=cast.regions["jp"]).level == "investigate"


def test_nobody_loosens_what_they_inherit(rule: Rule, cast: Cast, frank: User, model: RegisteredModel) -> None:
    eu, de = cast.regions["eu"], cast.regions["de"]
    with pytest.raises(ThresholdRefused, match="Global"):
        override(actor=frank, rule=rule, parameter="act", value=Decimal("0.35"), region=eu, reason="Too noisy")
    override(actor=frank, rule=rule, parameter="act", value=Decimal("0.25"), region=eu, reason="Closer")
    with pytest.raises(ThresholdRefused, match="EU"):
        override(actor=frank, rule=rule, parameter="act", value=Decimal("0.28"), model=model, reason="Too noisy")
    override(actor=frank, rule=rule, parameter="act", value=Decimal("0.2"), family=model.family, reason="Careful")
    with pytest.raises(ThresholdRefused, match=model.family.name):
        override(actor=frank, rule=rule, parameter="act", value=Decimal("0.22"), model=model, reason="Too noisy")
    with pytest.raises((Forbidden, NotVisible)):
        override(actor=frank, rule=rule, parameter="act", value=Decimal("0.1"), region=cast.regions["jp"], reason="Not mine")
    assert de.code == "de"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parameter": "colour"}, "parameter"),
        ({"value": "high"}, "value"),
        ({"parameter": "min_n", "value": -1}, "value"),
        ({"valid_until": START}, "valid_until"),
        ({"region": None}, "region"),
    ],
)
def test_what_is_no_override_is_refused(rule: Rule, cast: Cast, frank: User, change: dict[str, Any], field: str) -> None:
    wanted: dict[str, Any] = {"parameter": "act", "value": Decimal("0.2"), "region": cast.regions["eu"]} | change
    with pytest.raises(ThresholdRefused) as refused:
        override(actor=frank, rule=rule, reason="Because", **wanted)
    assert refused.value.field == field


def test_a_rule_of_one_region_cannot_be_overridden_outside_it(rule: Rule, cast: Cast, frank: User) -> None:
    rule.region = cast.regions["jp"]
    saved(rule)
    with pytest.raises(ThresholdRefused, match="Japan"):
        override(actor=frank, rule=rule, parameter="act", value=Decimal("0.2"), region=cast.regions["eu"], reason="Because")


def test_when_the_centre_tightens_looser_values_are_clamped_and_named(send: Send, rule: Rule, cast: Cast, frank: User) -> None:
    override(actor=frank, rule=rule, parameter="act", value=Decimal("0.25"), region=cast.regions["eu"], reason="Closer")
    rule.levels = {"observe": Decimal("0.1"), "act": Decimal("0.15")}
    saved(rule)
    send(window(0, 0.05))
    found = effective(Track.objects.get().series, START + timedelta(days=400))
    setting = found[0].settings["act"]  # type: ignore[index]
    assert (setting.value.high, setting.node, setting.clamped) == (Decimal("0.15"), "Global", ("EU",))
    assert found[0].document()["bands"]["act"]["node"] == "Global"


def test_an_override_ends_at_its_instant(send: Send, rule: Rule, cast: Cast, frank: User) -> None:
    until = START + timedelta(days=1)
    override(
        actor=frank,
        rule=rule,
        parameter="act",
        value=Decimal("0.25"),
        region=cast.regions["eu"],
        reason="x",
        valid_from=START,
        valid_until=until,
    )
    send(window(0, 0.05))
    series = Track.objects.get().series
    bounds = [effective(series, at)[0].owner_of(Level.ACT) for at in (START, until - timedelta(microseconds=1), until)]
    assert bounds == ["EU", "EU", "Global"]
    assert Override.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "judged"),
    [
        ("method", "wasserstein", True),
        ("method", "psi", False),
        ("subject", "mean area", False),
        ("tier_up_to", 1, True),
        ("direction", "lower_is_worse", False),
        ("valid_until", START - timedelta(days=1), False),
    ],
)
def test_a_rule_judges_what_it_selects(send: Send, rule: Rule, field: str, value: Any, judged: bool) -> None:
    setattr(rule, field, value)
    if field == "direction":
        rule.levels = {"act": Decimal(0)}
    saved(rule)
    send(window(0, 0.46))
    assert Alert.objects.exists() is judged


def test_a_rule_for_the_riskiest_leaves_a_mild_model_alone(send: Send, rule: Rule, model: RegisteredModel, kate: User, cast: Cast) -> None:
    model.set_tier(3, actor=kate, reason="Assessed")
    rule.tier_up_to = 2
    rule.environment = cast.environments["production"]
    saved(rule)
    send(window(0, 0.46, environment="production"), window(1, 0.46))
    assert not Alert.objects.exists()


def test_without_a_path_the_alert_stays_open_and_the_hole_is_a_gap(send: Send, rule: Rule) -> None:
    send(window(0, 0.46))
    alert = Alert.objects.get()
    gap = Gap.objects.get()
    assert (alert.status, gap.kind, gap.subject_id) == ("open", "no_path", alert.pk)


def test_the_floors_above_are_told_and_their_failure_loses_nothing(send: Send, rule: Rule, path: Path) -> None:
    told: list[str] = []

    def listen(alert: Alert, *, actor: User) -> None:
        told.append(alert.level)

    def fail(alert: Alert, *, actor: User) -> None:
        raise DomainError("Nobody owns this model.")

    hooks.on_open(listen)
    hooks.on_open(fail)
    try:
        send(window(0, 0.15))
        send(window(1, 0.46))
    finally:
        for name, fn in hooks.opened().items():
            if fn in (listen, fail):
                hooks._on_open.pop(name)
    assert told == ["observe", "act"]
    assert Alert.objects.get().level == "act"
    assert set(Gap.objects.values_list("kind", flat=True)) == {"reaction refused"}


def test_what_was_deployed_shortly_before_stands_in_the_context(send: Send, rule: Rule, deployment: Deployment, path: Path) -> None:
    start = deployment.started_at - timedelta(minutes=1)
    send(window(0, 0.46, start=start.isoformat(), end=(start + timedelta(minutes=2)).isoformat()))
    assert [moved["version"] for moved in Alert.objects.get().context["moved"]] == ["1.0.0"]


# --- what people do ------------------------------------------------------------------------------


@pytest.fixture
def alert(send: Send, rule: Rule, path: Path) -> Alert:
    send(window(0, 0.46))
    return Alert.objects.get()


def test_only_who_may_acknowledge_does_and_only_once(alert: Alert, ivan: User, bob: User, charlie: User) -> None:
    with pytest.raises(NotVisible):
        alert.acknowledge(actor=charlie)
    with pytest.raises(Forbidden):
        alert.acknowledge(actor=bob)
    alert.acknowledge(actor=ivan, reason="On it")
    assert (alert.status, alert.acknowledged_by, alert.history.first().history_change_reason) == ("acknowledged", ivan, "On it")
    with pytest.raises(IllegalTransition):
        alert.acknowledge(actor=ivan)


def test_an_investigation_says_what_is_suspected(alert: Alert, ivan: User) -> None:
    with pytest.raises(ReasonMissing):
        alert.investigate(actor=ivan, reason="")
    alert.investigate(actor=ivan, reason="The scanner was replaced")
    assert (alert.status, alert.acknowledged_by) == ("investigating", ivan)
    assert Run.objects.get().status == "acknowledged"
    with pytest.raises(IllegalTransition):
        alert.acknowledge(actor=ivan)


def test_after_acknowledging_one_may_investigate(alert: Alert, ivan: User) -> None:
    alert.acknowledge(actor=ivan)
    alert.investigate(actor=ivan, reason="The scanner was replaced")
    assert alert.status == "investigating"


def test_an_alert_is_closed_with_an_outcome_and_a_reason(alert: Alert, ivan: User) -> None:
    with pytest.raises(OutcomeMissing):
        alert.resolve(actor=ivan, outcome="source", reason="x")
    with pytest.raises(ReasonMissing):
        alert.resolve(actor=ivan, outcome="false_alarm", reason=" ")
    alert.resolve(actor=ivan, outcome="false_alarm", reason="The window held test patients")
    assert (alert.status, alert.resolution, alert.resolution_reason) == ("resolved", "false_alarm", "The window held test patients")
    assert Run.objects.get().status == "stopped"
    with pytest.raises(IllegalTransition):
        alert.resolve(actor=ivan, outcome="fixed", reason="Changed my mind")
    with pytest.raises(IllegalTransition):
        alert.investigate(actor=ivan, reason="Again")


def test_who_answers_the_escalation_has_taken_the_alert_on(alert: Alert, ivan: User) -> None:
    assert answered.sweep() == 0
    Run.objects.get().acknowledge(actor=ivan)
    assert (answered.sweep(), answered.sweep()) == (1, 0)
    alert.refresh_from_db()
    assert (alert.status, alert.acknowledged_by) == ("acknowledged", ivan)


def test_an_answer_to_the_milder_level_is_none_to_the_level_that_nobody_is_called_about(
    send: Send, rule: Rule, path: Path, ivan: User
) -> None:
    path.level = "investigate"
    saved(path)
    send(window(0, 0.25))
    Run.objects.get().acknowledge(actor=ivan)
    assert answered.sweep() == 1
    send(window(1, 0.46))  # no path is configured for act
    alert = Alert.objects.get()
    assert (alert.level, alert.status, answered.sweep()) == ("act", "open", 0)
    assert Run.objects.get().status == "stopped"
    assert Gap.objects.get().kind == GapKind.NO_PATH


def test_an_alert_that_rose_meanwhile_is_not_taken_on_by_the_answer_of_before(
    send: Send, rule: Rule, path: Path, ivan: User, system: User
) -> None:
    send(window(0, 0.25), window(1, 0.46))
    alert = Alert.objects.get()
    assert not alert.taken_on(ivan, level="investigate", at=START, actor=system)
    assert (alert.status, alert.acknowledged_by) == ("open", None)
    assert alert.taken_on(ivan, level="act", at=START, actor=system)


# --- silence -------------------------------------------------------------------------------------


def test_silence_is_an_alert_freezes_what_was_known_and_ends_with_data(send: Send, rule: Rule, path: Path) -> None:
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.46))
    assert sweep() == 1
    quiet = Alert.objects.get(kind="silence")
    track = Track.objects.get()
    assert (quiet.level, track.level, track.is_known(START + timedelta(hours=1))) == ("investigate", "act", False)
    assert sweep() == 0
    send(window(1, 0.46))
    quiet.refresh_from_db()
    assert (quiet.status, quiet.resolution) == ("resolved", "source")
    assert Alert.objects.get(kind="threshold").status == "open"
    assert sweep() == 1
    assert Alert.objects.filter(kind="silence").count() == 2


def test_of_a_version_that_was_replaced_nothing_is_expected(send: Send, rule: Rule, path: Path, deployment: Deployment) -> None:
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.05, version="1.0.0", environment="production"))
    deploy.end(deployment, actor=system_user())
    assert sweep() == 0
    deploy.record(
        actor=system_user(), version=deployment.version, environment=deployment.environment, region=deployment.region, reason="Back again"
    )
    assert sweep() == 1


def test_grace_is_given(send: Send, rule: Rule, path: Path) -> None:
    rule.expected_every_minutes = 60
    rule.grace_minutes = 60 * 24 * 365 * 10
    saved(rule)
    send(window(0, 0.05))
    assert sweep() == 0


def test_a_late_window_does_not_break_the_silence_and_a_fresh_one_beside_it_does(send: Send, rule: Rule, path: Path) -> None:
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.05), window(4, 0.05))
    assert sweep() == 1
    quiet = Alert.objects.get(kind="silence")
    send(window(1, 0.05))
    quiet.refresh_from_db()
    track = Track.objects.get()
    assert (quiet.status, track.stale_since is not None, sweep()) == ("open", True, 0)
    send(window(2, 0.05), window(5, 0.05))
    quiet.refresh_from_db()
    assert (quiet.status, quiet.resolution) == ("resolved", "source")
    assert sweep() == 1  # silent once more, and said once more
    assert Alert.objects.filter(kind="silence").unresolved().get().episode == 2


@pytest.mark.parametrize(
    "change",
    [
        {"valid_until": START + timedelta(hours=2)},
        {"method": "psi"},
        {"subject": "mean area"},
        {"environment": "staging"},
        {"region": "jp"},
        {"metric": "other"},
        {"direction": "lower_is_worse", "levels": {"act": Decimal(0)}},
        {"tier_up_to": 2},
        {"expected_every_minutes": None},
        {"expected_every_minutes": 60 * 24 * 365 * 10},
    ],
    ids=lambda change: next(iter(change)),
)
def test_where_a_rule_expects_nothing_any_more_silence_is_no_alert(
    send: Send, rule: Rule, path: Path, cast: Cast, model: RegisteredModel, kate: User, change: dict[str, Any]
) -> None:
    model.set_tier(3, actor=kate, reason="Assessed")
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.05, environment="production"))
    known = {
        "environment": cast.environments,
        "region": cast.regions,
        "metric": {"other": saved(Metric(slug="other", name="Other", direction="higher_is_worse"))},
    }
    before = {name: getattr(rule, name) for name in change}
    for name, value in change.items():
        setattr(rule, name, known[name][value] if name in known else value)
    saved(rule)
    assert sweep() == 0
    if "expected_every_minutes" in change:
        return
    for name, value in before.items():
        setattr(rule, name, value)
    saved(rule)
    assert sweep() == 1  # judged again, and it had been silent all the while


def test_where_only_a_region_expects_data_silence_there_is_an_alert(send: Send, rule: Rule, path: Path, cast: Cast, frank: User) -> None:
    override(
        actor=frank,
        rule=rule,
        parameter="expected_every_minutes",
        value=60,
        region=cast.regions["eu"],
        reason="Closer",
        valid_from=START - timedelta(days=1),
    )
    send(window(0, 0.05), window(0, 0.05, region="jp", id="jp"))
    assert sweep() == 1
    assert Alert.objects.get().region == cast.regions["de"]
