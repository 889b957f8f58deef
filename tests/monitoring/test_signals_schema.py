"""The plain views stand in the API's own description."""

from __future__ import annotations

import pytest
from django.test import Client

from stewardship.people.models import User


@pytest.mark.django_db
def test_the_ways_in_are_described(client: Client, alice: User) -> None:
    client.force_login(alice)
    reply = client.get("/api/v1/schema/?format=json")
    assert reply.status_code == 200
    paths = reply.json()["paths"]
    signals = paths["/api/v1/signals/"]["post"]
    facts = signals["requestBody"]["content"]["application/json"]["schema"]["properties"]["signals"]
    assert set(facts["items"]["required"]) == {"id", "model", "metric", "value", "start", "end"}
    assert set(paths["/api/v1/inbound/{key}/"]["post"]["responses"]) == {"202", "400", "401", "403", "404", "413"}
    assert "/api/v1/alerts/{id}/acknowledge/" in paths
    assert "/api/v1/series/{id}/windows/" in paths
