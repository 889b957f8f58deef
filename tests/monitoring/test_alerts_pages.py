"""What people see: the answer first, only what they may do, and nothing green that is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone

from config.portal.registry import inbox
from monitoring.alerts import panels, pictures, story
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.alerts.silence import sweep
from monitoring.signals.models import Metric, Quarantined, Series, Source, Window
from monitoring.thresholds.models import Rule
from stewardship.escalation.models import Path, Run
from stewardship.escalation.tasks import fire_due_timers
from stewardship.inventory.deploy import record
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.monitoring.conftest import START, Send, payload, saved, window

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(send: Send, rule: Rule, path: Path) -> Alert:
    send(window(0, 0.05), window(1, 0.46))
    return Alert.objects.get()


def page(client: Client, user: User, url: str, status: int = 200, **data: Any) -> str:
    """The text of a page as this person gets it."""
    client.force_login(user)
    reply = client.get(url, data)
    assert reply.status_code == status, reply.content[:500]
    return reply.content.decode()


def test_the_answer_comes_first_and_names_who_must_come_by_when(client: Client, alert: Alert, ivan: User) -> None:
    fire_due_timers()
    text = page(client, ivan, alert.get_absolute_url())
    assert "Act: Drift (wasserstein) of Tumour risk in Germany is 0.46, above 0.3 (bound of Global)" in text
    assert "Ivan Ilic was called" in text
    assert "Kate Klein" in text
    assert "Ask for a rollback." in text
    assert "0.3, set by Global" in text
    assert "n = 60" in text
    assert '<path class="chart-breach"' in text
    assert len(text) < 60_000


def test_the_card_shows_the_newest_value_what_moved_and_what_is_alike(
    client: Client, send: Send, rule: Rule, path: Path, ivan: User, alertmanager: Source, pipeline: User, deployment: Deployment
) -> None:
    send(window(0, 0.46))
    Alert.objects.get().resolve(actor=ivan, outcome="false_alarm", reason="Test patients")
    span = {"start": (timezone.now() - timedelta(hours=1)).isoformat(), "end": timezone.now().isoformat()}
    send(window(1, 0.05), window(2, 0.31), window(3, 0.77, **span))
    text = page(client, ivan, Alert.objects.unresolved().get().get_absolute_url())
    assert "0.77" in text
    assert "Test patients" in text
    assert "Episode 2" in text


def test_a_reported_alert_shows_the_sources_words_and_its_end(
    client: Client, send: Send, path: Path, ivan: User, alertmanager: Source, pipeline: User, version: ModelVersion
) -> None:
    for name in ("firing-one", "resolved-one"):
        text = payload(name).replace(b'"version":"1.1.0"', b'"version":"1.0.0"')
        receive(source=alertmanager, body=text, content_type="application/json", actor=pipeline)
        shown = page(client, ivan, Alert.objects.get().get_absolute_url())
        assert "p99 over 5 minutes is 412 ms" in shown
    assert "Nobody has said yet what it was" in shown


def test_only_what_a_person_may_do_is_offered(client: Client, alert: Alert, ivan: User, bob: User, gita: User, charlie: User) -> None:
    offered = page(client, ivan, alert.get_absolute_url())
    assert f"{alert.get_absolute_url()}acknowledge/" in offered
    assert f"{alert.get_absolute_url()}resolve/" in offered
    refused = page(client, bob, alert.get_absolute_url())
    assert f"{alert.get_absolute_url()}acknowledge/" not in refused
    assert "nothing here for you to do" in refused
    page(client, gita, alert.get_absolute_url(), 404)
    page(client, charlie, alert.get_absolute_url(), 404)
    assert client.post(f"{alert.get_absolute_url()}acknowledge/").status_code == 404
    client.force_login(bob)
    assert client.post(f"{alert.get_absolute_url()}acknowledge/").status_code == 403


def test_the_buttons_move_the_alert_and_refusals_are_said(client: Client, alert: Alert, ivan: User) -> None:
    client.force_login(ivan)
    url = alert.get_absolute_url()
    assert client.post(f"{url}acknowledge/").status_code == 302
    assert client.post(f"{url}acknowledge/").status_code == 422
    assert "taken it on" in page(client, ivan, url)
    assert client.post(f"{url}investigate/", {"reason": ""}).status_code == 422
    assert client.post(f"{url}investigate/", {"reason": "The scanner"}).status_code == 302
    assert "is investigating" in page(client, ivan, url)
    assert client.post(f"{url}resolve/", {"outcome": "source", "reason": "x"}).status_code == 422
    assert client.post(f"{url}resolve/", {"outcome": "false_alarm", "reason": "Test patients"}).status_code == 302
    text = page(client, ivan, url)
    assert "Closed as “false alarm”: Test patients" in text
    assert "closed it as" in text
    assert not Run.objects.live().exists()


def test_without_a_path_the_page_says_that_nobody_is_called(client: Client, send: Send, rule: Rule, ivan: User) -> None:
    send(window(0, 0.46))
    assert "no escalation path is configured" in page(client, ivan, Alert.objects.get().get_absolute_url())
    send(window(0, 0.15, subject="mean area", id="s0"))
    observed = Alert.objects.get(level="observe")
    assert "nobody is called" in page(client, ivan, observed.get_absolute_url())


def test_where_nobody_is_called_about_what_it_rose_to_the_page_says_so(
    client: Client, send: Send, rule: Rule, path: Path, ivan: User
) -> None:
    path.level = "investigate"
    saved(path)
    send(window(0, 0.25))
    Run.objects.get().acknowledge(actor=ivan)
    send(window(1, 0.46))
    assert "no escalation path is configured" in page(client, ivan, Alert.objects.get().get_absolute_url())


def test_of_a_long_history_the_newest_steps_are_shown(alert: Alert) -> None:
    for number in range(story.SHOWN + 5):
        with acting(system_user(), f"Step {number}"):
            alert.save()
    items = story.events(alert, None)
    assert len(items) == story.SHOWN + 1
    assert items[0].detail == f"Step {story.SHOWN + 4}"
    assert items[-1].verb == "What came before stands in its"
    assert items[-1].url.startswith("/history/")
    assert "opened it" not in " ".join(item.verb for item in items)


def test_the_list_counts_and_filters(client: Client, alert: Alert, ivan: User, gita: User) -> None:
    text = page(client, ivan, "/alerts/")
    assert "1 alert waits for somebody" in text
    assert alert.title in text
    assert alert.title not in page(client, ivan, "/alerts/", status=200, level="observe")
    assert alert.title in page(client, ivan, "/alerts/?status=unresolved&level=act&region=de&model=tumour-risk")
    assert "no choice" in page(client, ivan, "/alerts/?level=panic")
    assert "No alert waits for anybody" in page(client, gita, "/alerts/")
    client.force_login(ivan)
    assert alert.title.encode() in b"".join(client.get("/alerts/?format=csv").streaming_content)  # type: ignore[attr-defined]


def test_the_page_costs_a_bounded_number_of_queries(
    client: Client, alert: Alert, ivan: User, send: Send, django_assert_max_num_queries: Any
) -> None:
    send(*(window(hour, 0.46) for hour in range(2, 30)))
    client.force_login(ivan)
    with django_assert_max_num_queries(45):
        client.get(alert.get_absolute_url())
    with django_assert_max_num_queries(30):
        client.get("/alerts/")


def shown(user: User, model: RegisteredModel) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    context = panels.monitoring(request, model)
    return context, render_to_string("monitoring/alerts/_model_monitoring.html", context, request)  # type: ignore[arg-type]


def test_the_cockpit_shows_the_worst_first_and_what_nobody_judges(alert: Alert, send: Send, model: RegisteredModel, ivan: User) -> None:
    saved(Metric(slug="latency", name="Latency", unit="ms", direction="higher_is_worse"))
    send(window(2, 250, metric="latency", id="l"), window(2, 0.01, subject="calm", id="c"))
    context, text = shown(ivan, model)
    assert [line.state for line in context["lines"]] == ["act", "unjudged", "ok"]
    assert "Of 3 series: 1 asks to act, 1 without a threshold, 1 within bounds." in text
    assert "Not judged: no threshold" in text
    assert "250 ms" in text
    assert alert.title in text
    assert len(text) < 60_000


def test_what_no_longer_runs_is_no_part_of_the_answer(
    client: Client, send: Send, rule: Rule, path: Path, model: RegisteredModel, ivan: User, deployment: Deployment, cast: Cast
) -> None:
    place = {"environment": "production", "version": "1.0.0"}
    send(window(0, 0.46, **place))
    newer = make_version(model, "1.1.0")
    record(actor=system_user(), version=newer, environment=deployment.environment, region=deployment.region)
    context, text = shown(ivan, model)
    assert (context["lines"], [line.state for line in context["gone"]], context["charts"]) == ([], ["act"], [])
    assert "Nothing that runs is measured" in text
    send(window(1, 0.05, **place | {"version": "1.1.0"}), window(1, 0.06, region="fr", id="fr"))
    context, text = shown(ivan, model)
    assert context["answer"] == "Of 2 series: 2 within bounds."
    assert "Versions that no longer run" in text
    titles = ["Drift (wasserstein) · France", "Drift (wasserstein) · Germany · Production · 1.1.0"]
    assert sorted(title for title in titles if any(title in chart for chart in context["charts"])) == titles
    assert "How it does" not in text
    Alert.objects.get().resolve(actor=ivan, outcome="fixed", reason="Replaced by 1.1.0")
    assert "Everything that is judged (2 series) is within its bounds." in page(client, ivan, f"/models/{model.pk}/")
    assert "Versions that no longer run" in page(client, ivan, f"/models/{model.pk}/?tab=monitoring")


def test_a_rule_that_ended_judges_no_more(send: Send, rule: Rule, path: Path, model: RegisteredModel, ivan: User) -> None:
    send(window(0, 0.46))
    rule.valid_until = timezone.now()
    saved(rule)
    context, _text = shown(ivan, model)
    assert [line.state for line in context["lines"]] == ["unjudged"]


def test_what_is_silent_is_not_known_and_never_green(
    send: Send, rule: Rule, path: Path, model: RegisteredModel, ivan: User, charlie: User
) -> None:
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.05))
    sweep()
    context, text = shown(ivan, model)
    assert context["lines"][0].chip.tone == "unknown"
    assert "Not known" in text
    assert "Within bounds" not in text
    assert "not known" in context["charts"][0]
    nothing, empty = shown(charlie, model)
    assert nothing["lines"] == []
    assert "Nothing is measured yet" in empty


def test_a_breach_that_went_silent_stays_visible(send: Send, rule: Rule, path: Path, model: RegisteredModel, ivan: User) -> None:
    rule.expected_every_minutes = 60
    saved(rule)
    send(window(0, 0.46))
    sweep()
    context, _text = shown(ivan, model)
    assert (context["lines"][0].state, context["lines"][0].chip.tone) == ("act", "unknown")
    assert "now not known" in str(context["lines"][0].chip)


def test_what_a_person_took_on_waits_in_the_inbox_until_it_is_judged(alert: Alert, ivan: User, bob: User) -> None:
    now = timezone.now()
    assert [item for item in inbox.items(ivan, now) if item.kind == "alert"] == []
    alert.acknowledge(actor=ivan)
    assert [item.title for item in panels.mine(ivan, now)] == [alert.title]
    assert list(panels.mine(bob, now)) == []
    alert.end(actor=ivan, reason="Ended")
    assert "say what it was" in str(next(iter(panels.mine(ivan, now))).meta)
    alert.resolve(actor=ivan, outcome="fixed", reason="Done")
    assert list(panels.mine(ivan, now)) == []


def test_the_sidebar_and_the_palette_know_alerts(alert: Alert, ivan: User, gita: User) -> None:
    assert [panels.waiting_alerts(user)[0].count() for user in (ivan, gita)] == [1, 0]
    assert [hit.title for hit in panels.search(ivan, "drift", 5)] == [alert.title]
    assert panels.search(gita, "drift", 5) == []
    assert panels.waiting_quarantine(AnonymousUser())[0].count() == 0


def test_quarantine_is_a_page_where_facts_are_placed_and_dismissed(
    client: Client, send: Send, rule: Rule, frank: User, alice: User, bob: User
) -> None:
    send(window(0, 0.15, model="tumor-risk"), window(1, 0.1, region="moon"))
    text = page(client, frank, "/quarantine/")
    assert "2 signals could not be placed" in text
    item = Quarantined.objects.get(field="model")
    url = f"/quarantine/{item.pk}/"
    assert f"{url}place/" not in page(client, bob, "/quarantine/"), "who may look only would be refused there"
    assert f"{url}place/" in page(client, frank, "/quarantine/")
    assert "tumor-risk" in page(client, frank, f"{url}place/")
    fields = {"model": "tumor-risk", "region": "de", "metric": "drift", "reason": "Again"}
    assert client.post(f"{url}place/", fields).status_code == 422
    assert client.post(f"{url}place/", fields | {"model": "tumour-risk"}).status_code == 302
    assert (Window.objects.count(), Alert.objects.get().level) == (1, "observe")
    other = Quarantined.objects.waiting().get()
    assert client.post(f"/quarantine/{other.pk}/dismiss/", {"reason": ""}).status_code == 422
    assert client.post(f"/quarantine/{other.pk}/dismiss/", {"reason": "A test"}).status_code == 302
    assert "Every signal could be placed" in page(client, frank, "/quarantine/")
    page(client, alice, f"{url}place/", 404)


def test_of_more_series_than_fit_the_worst_are_shown(
    rf: RequestFactory, send: Send, rule: Rule, path: Path, model: RegisteredModel, ivan: User
) -> None:
    many = [window(0, 0.05, id=f"calm {number}", subject=f"calm {number:02}") for number in range(panels.MOST_SERIES + 5)]
    send(*many, window(0, 0.46, id="bad", subject="zinc"))
    request = rf.get("/")
    request.user = ivan
    context = panels.monitoring(request, model)
    assert context is not None
    assert context["lines"][0].series.subject == "zinc"
    assert len(context["lines"]) == panels.MOST_SERIES
    assert context["more"] == 6


def test_a_busy_series_hides_no_slow_one(send: Send, rule: Rule, django_assert_num_queries: Any) -> None:
    def at(hour: int, value: float, subject: str, name: str = "") -> Any:
        return window(0, value, subject=subject, id=name or f"{subject} {hour}", start=start(hour), end=start(hour + 1))

    send(at(-9000, 0.05, "slow"), at(-8000, 0.05, "slow"))
    for first in range(-4200, 0, 700):
        send(*(at(hour, 0.01, "busy") for hour in range(first, first + 700)))
    for number in range(3):  # the same hour again and again is one point, and takes no other's place
        send(at(-8000, 0.02 + number / 100, "slow", f"correction {number}"))
    busy, slow = Series.objects.order_by("subject")
    with django_assert_num_queries(2):
        found = pictures.newest([busy, slow], 2)
    assert [each.end.isoformat() for each in found[busy.pk]] == [start(-1), start(0)]
    assert [float(each.value) for each in found[slow.pk]] == [0.05, 0.04]
    assert pictures.newest([]) == {}


def start(hour: int) -> str:
    """This many hours after the first."""
    return (START + timedelta(hours=hour)).isoformat()
