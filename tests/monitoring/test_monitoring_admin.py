"""Rules, overrides and sources are configured in the admin: what cannot be is refused there, and whoever may not sees nothing."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from monitoring.alerts.models import Alert
from monitoring.signals.models import Source
from monitoring.thresholds.models import Override, Rule, Track
from stewardship.escalation.models import Path
from stewardship.people.models import User
from tests.cast import Cast
from tests.monitoring.conftest import Send, saved, window

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(send: Send, rule: Rule, path: Path) -> Alert:
    send(window(0, 0.05), window(1, 0.46))
    return Alert.objects.get()


def test_a_rule_and_its_overrides_are_configured_in_the_admin(client: Client, send: Send, rule: Rule, cast: Cast, frank: User) -> None:
    client.force_login(frank)
    eu = Rule.objects.get()
    eu.region = cast.regions["eu"]
    saved(eu)
    url = f"/monitoring/rule/{rule.pk}/change/"
    shown = client.get(url).content.decode()
    assert "observe: 0.1\ninvestigate: 0.2\nact: 0.3" in shown
    assert re.search(r'name="margin" value="0"', shown)
    fields = {
        "slug": "drift",
        "name": "Drift",
        "region": str(cast.regions["eu"].pk),
        "metric": str(rule.metric_id),
        "direction": "higher_is_worse",
        "levels": "observe: 0.1\nact: 0.3",
        "for_windows": "1",
        "min_n": "0",
        "margin": "0",
        "grace_minutes": "0",
        "stale_level": "observe",
        "next_actions": "act: Ask for a rollback: the version before is in the cockpit.",
        "freedoms": "min_n: 10 to 500",
        "valid_from_0": "2026-01-01",
        "valid_from_1": "00:00:00",
        "reason": "Fewer levels",
        "overrides-TOTAL_FORMS": "0",
        "overrides-INITIAL_FORMS": "0",
    }
    added = {
        "overrides-TOTAL_FORMS": "1",
        "overrides-0-region": str(cast.regions["de"].pk),
        "overrides-0-parameter": "act",
        "overrides-0-value": "0.5",
        "overrides-0-valid_from_0": "2026-01-01",
        "overrides-0-valid_from_1": "00:00:00",
    }
    assert client.post(url, fields | {"levels": "observe: 0.5\nact: 0.3"}).status_code == 200
    for wrong in ('["min_n"]', "5", "act: 5", "colour: fixed", "act: 0.5 to 0.1"):
        refused = client.post(url, fields | {"freedoms": wrong})
        assert (refused.status_code, "freedoms" in refused.context["adminform"].errors) == (200, True)
    client.post(url, fields | added)
    assert not Override.objects.exists()  # looser than the rule: refused
    reply = client.post(url, fields | added | {"overrides-0-value": "0.2"})
    assert reply.status_code == 302
    assert Override.objects.get().region == cast.regions["de"]
    changed = Rule.objects.get()
    assert changed.levels == {"observe": Decimal("0.1"), "act": Decimal("0.3")}
    assert changed.freedoms == {"min_n": {"low": 10, "high": 500}}
    assert changed.next_actions == {"act": "Ask for a rollback: the version before is in the cockpit."}


def test_every_admin_list_opens_for_who_may_and_shows_nothing_to_others(
    client: Client, alert: Alert, send: Send, frank: User, charlie: User, source: Source
) -> None:
    send(window(5, 0.1, model="nobody"))
    for name in ("source", "metric", "rule", "quarantined", "batch", "alert"):
        client.force_login(frank)
        assert client.get(f"/monitoring/{name}/").status_code == 200
        client.force_login(charlie)
        assert client.get(f"/monitoring/{name}/").status_code in (302, 403)  # without any role, one is sent to log in
    client.force_login(frank)
    assert client.get(f"/monitoring/source/{source.pk}/change/").status_code == 200
    assert client.get(f"/monitoring/alert/{alert.pk}/change/").status_code == 200
    assert client.get("/monitoring/source/add/").status_code == 200
    assert Track.objects.exists()


def test_a_source_is_checked_before_it_is_saved(client: Client, cast: Cast, pipeline: User, frank: User) -> None:
    client.force_login(frank)
    fields = {
        "slug": "new",
        "name": "New",
        "kind": "alertmanager",
        "region": str(cast.regions["eu"].pk),
        "user": str(pipeline.pk),
        "mapping": '{"colours": {}}',
        "active": "on",
        "reason": "A new cluster",
    }
    assert client.post("/monitoring/source/add/", fields).status_code == 200
    assert client.post("/monitoring/source/add/", fields | {"mapping": '{"regions": {"DE": "de"}}'}).status_code == 302
    assert Source.objects.get().mapping == {"regions": {"DE": "de"}}
