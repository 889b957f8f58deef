"""What a pipeline's question costs: statements and time of one gate call whose answer is ready.

`python -m tests.benchmarks.gate`; GATE_MODELS changes the size (default 10,000).
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.benchmarks._bench import analyze, database, median_ms, report
from tests.benchmarks._scene import one_full_model, populate

MODELS = int(os.environ.get("GATE_MODELS", "10000"))


def measure(cast: Any, live: Any) -> None:
    """Reads and writes of the question itself; the person's grants were read before, as authentication does."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from governance.gate.ask import ask

    pipeline = cast.users["pipeline"]

    def question() -> Any:
        return ask(model="tumour-risk", version=live.label, environment="production", region="de", actor=pipeline)

    if question().verdict != "allow":
        raise SystemExit("The gate should allow what was approved.")
    with CaptureQueriesContext(connection) as asked:
        question()
    reads = sum(one["sql"].startswith("SELECT") for one in asked)
    writes = sum(one["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for one in asked)
    report("gate.reads", reads, "statements", 1)
    report("gate.writes", writes, "statements", 1, note="the outbox is filled by a trigger of this statement")
    over_http = _program(pipeline, live.label)
    over_http()
    with CaptureQueriesContext(connection) as asked:
        over_http()
    statements = [one["sql"] for one in asked]
    answered = next(place for place, sql in enumerate(statements) if sql.startswith("INSERT") and "governance_verdict" in sql)
    whose = sum(sql.startswith("SELECT") for sql in statements[:answered]) - 1
    report(
        "gate.http_who_asks",
        whose,
        "statements",
        4,
        note="token, grants and region tree of the caller; our own aim. The journal follows after the answer",
    )
    report("gate.time", median_ms(question, 50), "ms", 50, note=f"median of 50, {MODELS} models; our own aim")


def _program(user: Any, label: str) -> Any:
    """The same question, asked by a program with a token."""
    from django.test import Client

    from stewardship.people.tokens import AccessToken

    _row, plain = AccessToken.issue(user=user, name="Bench", scopes=["read", "write"], days=1, actor=user)
    body = {"model": "tumour-risk", "version": label, "environment": "production", "region": "de"}
    client = Client(headers={"Authorization": f"Bearer {plain}"})

    def asks() -> None:
        if client.post("/api/v1/gate/", body, content_type="application/json").json()["verdict"] != "allow":
            raise SystemExit("The gate should allow what was approved.")

    return asks


def main() -> int:
    """Set up, measure, tear down."""
    with database():
        cast = populate(MODELS, 20)
        live = one_full_model(cast)
        analyze()
        measure(cast, live)
    return 0


if __name__ == "__main__":
    sys.exit(main())
