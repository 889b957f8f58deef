"""A native source, an Alertmanager, a metric, and a rule with three levels; facts are built by `window()`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitoring.alerts.receive import receive
from monitoring.signals.ingest import Receipt
from monitoring.signals.models import Metric, Source
from monitoring.thresholds.models import Rule
from stewardship.escalation.models import Path as EscalationPath
from stewardship.escalation.models import Step
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast

START = datetime(2026, 11, 1, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> bytes:
    """A body that a real Alertmanager sent."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def window(hour: int, value: Any, **fields: Any) -> dict[str, Any]:
    """One hourly measurement of drift of tumour-risk."""
    start = START + timedelta(hours=hour)
    return {
        "id": f"w{hour}",
        "model": "tumour-risk",
        "metric": "drift",
        "method": "wasserstein",
        "region": "de",
        "value": value,
        "n": 60,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        **fields,
    }


def body(*windows: dict[str, Any]) -> bytes:
    """A native batch."""
    return json.dumps({"signals": list(windows)}).encode()


def saved(row: Any) -> Any:
    """Saved by the system account."""
    with acting(system_user(), "A test begins"):
        row.save()
    return row


@pytest.fixture
def metric(cast: Cast) -> Metric:
    """drift, bad when high."""
    found: Metric = saved(Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="distance"))
    return found


@pytest.fixture
def source(cast: Cast, pipeline: User) -> Source:
    """A native source of the EU, under the pipeline's account."""
    found: Source = saved(Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=pipeline))
    return found


@pytest.fixture
def alertmanager(cast: Cast, pipeline: User) -> Source:
    """An Alertmanager that calls a region US which we know as fr."""
    mapping = {"regions": {"US": "fr"}}
    found: Source = saved(
        Source(slug="am", name="Alertmanager", kind="alertmanager", region=cast.regions["eu"], user=pipeline, mapping=mapping)
    )
    return found


@pytest.fixture
def rule(cast: Cast, metric: Metric) -> Rule:
    """Global: 0.1 observe, 0.2 investigate, 0.3 act."""
    found: Rule = saved(
        Rule(
            slug="drift",
            name="Drift",
            region=cast.regions["global"],
            metric=metric,
            direction="higher_is_worse",
            levels={"observe": Decimal("0.1"), "investigate": Decimal("0.2"), "act": Decimal("0.3")},
            next_actions={"act": "Ask for a rollback."},
            valid_from=START - timedelta(days=365),
        )
    )
    return found


Send = Callable[..., Receipt]


@pytest.fixture
def send(source: Source, pipeline: User, metric: Metric, model: RegisteredModel) -> Send:
    """Post windows to the native source and judge them."""

    def post(*windows: dict[str, Any]) -> Receipt:
        return receive(source=source, body=body(*windows), content_type="application/json", actor=pipeline)

    return post


@pytest.fixture
def path(cast: Cast) -> EscalationPath:
    """About alerts of any level: the responder of the model at once, the risk officer after an hour."""
    found: EscalationPath = saved(EscalationPath(slug="alerts", name="Alerts", region=cast.regions["global"], subject_kind="alert"))
    for order, (role, after) in enumerate((("responder", 0), ("risk", 3600))):
        saved(Step(path=found, order=order, role=cast.roles[role], after_seconds=after))
    return found
