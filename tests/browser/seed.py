"""Fill a fresh, migrated installation with what somebody would configure first: `python -m tests.browser.seed` prints JSON.

The regions, roles and people of the cast; one policy, a route for deployments and one for rollbacks; one metric with
a threshold, the source that measures it, and whom to call. No model: the walk registers the first one.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

RULES = {"recall": "evidence.metrics.recall.low >= 0.80", "tests": "evidence.tests.failed == 0"}
ONE_STAGE = [{"name": "Validation", "requirements": [{"role": "validator", "scope": "model", "within_minutes": 480}]}]


def seed() -> dict[str, Any]:
    """Through the same verbs that people use; gives what the walk cannot read from a page."""
    from django.utils import timezone

    from governance.audits.trust import document
    from monitoring.signals.models import Metric, Source
    from monitoring.thresholds.models import Rule
    from stewardship.escalation.models import Path, Step
    from stewardship.journal.acting import acting
    from stewardship.journal.sequence import settle
    from stewardship.people.models import system_user
    from stewardship.people.tokens import AccessToken
    from tests.cast import PASSWORD, make_cast, make_family
    from tests.governance.change_case import policy, route

    cast = make_cast()
    make_family(cast, "tumour-triage")
    policy(cast, slug="clinical", rules=RULES)
    route(cast)
    route(cast, kind="rollback", stages=ONE_STAGE)
    pipeline = cast.users["pipeline"]
    with acting(system_user(), "Monitoring begins"):
        metric = Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="Wasserstein distance, normed")
        metric.save()
        Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=pipeline).save()
        Rule(
            slug="drift",
            name="Drift",
            region=cast.regions["global"],
            metric=metric,
            direction="higher_is_worse",
            levels={"observe": Decimal("0.1"), "investigate": Decimal("0.2"), "act": Decimal("0.3")},
            next_actions={"act": "Go back to the version before."},
            valid_from=timezone.now() - timedelta(days=30),
        ).save()
        path = Path(slug="alerts", name="Alerts", region=cast.regions["global"], subject_kind="alert")
        path.save()
        for order, (role, after) in enumerate((("responder", 0), ("risk", 3600))):
            Step(path=path, order=order, role=cast.roles[role], after_seconds=after).save()
    _token, plain = AccessToken.issue(user=pipeline, name="CI", scopes=["read", "write"], days=1, actor=pipeline)
    settle()
    return {"password": PASSWORD, "token": plain, "trust": document()}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(seed()))
