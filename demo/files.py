"""Evidence files as a pipeline writes them, made up but consistent, the same at every telling."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from random import Random
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
TESTS = (
    "schema_of_input",
    "missing_values",
    "monotone_in_amount",
    "reproducible_score",
    "no_leak_of_target",
    "latency",
    "subgroups",
    "extreme_values",
)
File = tuple[str, str, str, bytes]


def artifact_digest(model: str, label: str) -> str:
    """The digest of an artifact that exists in the story only."""
    return hashlib.sha256(f"artifact of {model} {label}".encode()).hexdigest()


def evidence(kind: str, model: str, label: str, quality: Decimal, *, failed: tuple[str, ...] = ()) -> list[File]:
    """Metrics and test results of a version; `quality` is its Brier score, or a forecast's mean absolute percentage error."""
    return [
        ("metrics", "metrics.json", "application/json", _metrics(kind, model, label, quality)),
        ("junit", "junit.xml", "application/xml", _junit(model, failed)),
    ]


def _metrics(kind: str, model: str, label: str, quality: Decimal) -> bytes:
    random = Random(f"{model} {label}")
    rows = random.randrange(1_800, 9_600)
    metrics = [_metric("mape" if kind == "forecast" else "brier", quality, rows, spread=quality / 12)]
    if kind == "score":
        recall = Decimal(random.randrange(870, 945)) / 1000
        area = Decimal(random.randrange(880, 960)) / 1000
        metrics += [_metric("recall", recall, rows, spread=Decimal("0.018")), _metric("roc_auc", area, rows, spread=Decimal("0.008"))]
    else:
        metrics.append(_metric("bias", Decimal(random.randrange(-20, 20)) / 1000, rows, spread=Decimal("0.004")))
    return _encoder.encode({"model": model, "version": label, "n": rows, "metrics": metrics})


def _metric(name: str, value: Decimal, n: int, *, spread: Decimal) -> dict[str, Any]:
    low, high = (end.quantize(Decimal("0.0001")) for end in (value - spread, value + spread))
    return {"name": name, "value": value, "n": n, "ci95": [low, high]}


def _junit(model: str, failed: tuple[str, ...]) -> bytes:
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite", name=model, tests=str(len(TESTS)), failures=str(len(failed)), errors="0", skipped="0")
    for name in TESTS:
        case = SubElement(suite, "testcase", classname="tests.model", name=f"test_{name}", time="0.4")
        if name in failed:
            SubElement(case, "failure", message=f"{name} is outside its bound")
    written: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return written
