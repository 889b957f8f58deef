"""Receiving measured windows: parsed, placed, stored, judged by a rule, in one transaction per body.

`python -m tests.benchmarks.ingest`; INGEST_WINDOWS changes the number of windows in all (default 20,000).
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.benchmarks._bench import database, report, seconds

WINDOWS = int(os.environ.get("INGEST_WINDOWS", "20000"))
A_BODY, SERIES = 5_000, 50
WINDOWS_A_SECOND = 5_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def body(number: int, *, value: str = "0.01", facts: int = A_BODY) -> bytes:
    """One batch: every series gets its next windows, in order of time."""
    first = number * facts
    return json.dumps(
        {
            "signals": [
                {
                    "id": f"w{index}",
                    "model": "tumour-risk",
                    "metric": "drift",
                    "method": "wasserstein",
                    "subject": f"feature {index % SERIES}",
                    "region": "de",
                    "value": float(value) + index % 7 / 1000,
                    "n": 600,
                    "start": (START + timedelta(minutes=5 * (index // SERIES))).isoformat(),
                    "end": (START + timedelta(minutes=5 * (index // SERIES) + 5)).isoformat(),
                }
                for index in range(first, first + facts)
            ]
        }
    ).encode()


def configure(cast: Any) -> tuple[Any, Any]:
    """A source, a metric and a rule with three bounds, for tumour-risk; the source and its account."""
    from monitoring.signals.models import Metric, Source
    from monitoring.thresholds.models import Rule
    from stewardship.journal.acting import acting
    from stewardship.people.models import system_user

    pipeline = cast.users["pipeline"]
    with acting(system_user(), "A benchmark"):
        metric = Metric(slug="drift", name="Drift", direction="higher_is_worse", formula="distance")
        metric.save()
        source = Source(slug="bench", name="Bench", kind="native", region=cast.regions["eu"], user=pipeline)
        source.save()
        Rule(
            slug="drift",
            name="Drift",
            region=cast.regions["global"],
            metric=metric,
            direction="higher_is_worse",
            levels={"observe": Decimal("0.1"), "investigate": Decimal("0.2"), "act": Decimal("0.3")},
            for_windows=3,
            min_n=50,
            valid_from=START,
        ).save()
    return source, pipeline


def measure() -> None:
    """Windows a second over all bodies, and of the same bodies sent again."""
    from monitoring.alerts.receive import receive
    from monitoring.signals.models import Window
    from monitoring.thresholds.models import Track
    from tests.cast import make_cast, make_model

    cast = make_cast()
    make_model(cast)
    source, pipeline = configure(cast)
    bodies = [body(number) for number in range(WINDOWS // A_BODY)]

    def send() -> tuple[float, float]:
        """The shortest time that one of the bodies took: on the wall, and of this process."""
        wall, cpu = [], []
        for each in bodies:
            before = time.process_time()
            wall.append(seconds(lambda each=each: receive(source=source, body=each, content_type="application/json", actor=pipeline)))  # type: ignore[misc]
            cpu.append(time.process_time() - before)
        return min(wall), min(cpu)

    for bench in ("ingest.windows", "ingest.sent_again"):
        wall, cpu = send()
        note = f"bodies of {A_BODY} for {SERIES} series, the best; {A_BODY / cpu:.0f}/s of CPU time"
        report(bench, A_BODY / wall, "windows/s", WINDOWS_A_SECOND, at_least=True, note=note)
    judged = Track.objects.filter(level="ok", reading="known").count()
    if Window.objects.count() != len(bodies) * A_BODY or judged != SERIES:
        raise SystemExit("The windows were not stored and judged.")


def main() -> int:
    """Set up, measure, tear down."""
    with database():
        measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
