"""Metrics as JSON: {"metrics": [{"name", "value", "n", "ci95": [low, high]}]} or {"metrics": {name: value or {…}}}.

What counts for a share is the number of cases it is a share of, not of rows: with 171 rows of which 64 are positive, recall is a
share of 64. So `n` is that number where the file tells it (confusion matrix, n_positive), and `rows` the number of rows.
Rules cannot loop, so of subgroups the `lowest` and the `highest` stand beside each metric; which of them is the `worst` the file
does not say (a high recall is good, a high error is not), so that whoever knows the metric points it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from governance.evidence.readers import Reading, Unreadable
from governance.evidence.readers.documents import count, load, number, plain_name
from governance.evidence.readers.intervals import honest

MOST_METRICS = 500
# Which cells of a confusion matrix a share is a share of. Each counts right answers, so that lower is worse by definition.
_CASES = {
    "recall": ("true_positive", "false_negative"),
    "sensitivity": ("true_positive", "false_negative"),
    "precision": ("true_positive", "false_positive"),
    "specificity": ("true_negative", "false_positive"),
}


def read(data: bytes) -> Reading:
    """Each metric with value, n, low, high, rows, interval and, where subgroups were measured, lowest and highest."""
    document = load(data)
    matrix = _matrix(document.get("confusion_matrix"))
    found: dict[str, Any] = {}
    for name, entry in _entries(document.get("metrics")):
        if name in found:
            raise Unreadable(f"The metric '{name}' stands in the file twice.")
        if len(found) == MOST_METRICS:
            raise Unreadable(f"The file has more than {MOST_METRICS} metrics.")
        found[name] = _metric(name, entry, matrix, document.get("n"))
    if not found:
        raise Unreadable("The file has no metrics.")
    for name, ends in _ends(document.get("subgroups"), found).items():
        found[name] |= ends
    readings: dict[str, Any] = {"metrics": found}
    if matrix:
        readings["confusion_matrix"] = matrix
    return Reading(readings)


def point_out_worst(metrics: Mapping[str, dict[str, Any]], directions: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The metrics with the worst subgroup named where it is known which way is bad; `directions` as the catalogue has them."""
    known = dict.fromkeys(_CASES, "lower_is_worse") | dict(directions)
    end = {"lower_is_worse": "lowest", "higher_is_worse": "highest"}
    found = {}
    for name, metric in metrics.items():
        worst = metric.get(end.get(known.get(name, ""), ""))
        found[name] = metric | {"worst": worst} if worst is not None else dict(metric)
    return found


def _entries(metrics: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(metrics, list):
        for place, entry in enumerate(metrics, start=1):
            if not isinstance(entry, dict):
                raise Unreadable(f"Metric {place} is not an object with name and value.")
            yield plain_name(entry.get("name"), f"Metric {place}"), entry
    elif isinstance(metrics, dict):
        for key, entry in metrics.items():
            yield plain_name(key, f"Metric '{key}'"), entry if isinstance(entry, dict) else {"value": entry}
    else:
        raise Unreadable("The file has no list or object 'metrics'.")


def _matrix(matrix: Any) -> dict[str, int]:
    if matrix is None:
        return {}
    cells = ("true_positive", "false_positive", "false_negative", "true_negative")
    if not isinstance(matrix, dict):
        raise Unreadable("The confusion matrix is not an object.")
    return {cell: count(matrix.get(cell), f"The confusion matrix's {cell}") for cell in cells}


def _metric(name: str, entry: dict[str, Any], matrix: dict[str, int], rows: Any) -> dict[str, Any]:
    value = number(entry.get("value"), f"The value of '{name}'")
    rows = entry.get("n", rows)
    seen = None if rows is None else count(rows, f"The n of '{name}'")
    cases = sum(matrix[cell] for cell in _CASES[name]) if matrix and name in _CASES else None
    low, high = _interval(name, entry)
    # Only where the cases are known is the metric known to be a share; an AUC has no Wilson interval.
    low, high, how = honest(value, low, high, cases)
    found: dict[str, Any] = {"value": value, "interval": how}
    optional = {"n": seen if cases is None else cases, "rows": seen, "low": low, "high": high}
    return found | {key: item for key, item in optional.items() if item is not None}


def _interval(name: str, entry: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    pair = entry.get("ci95", [entry.get("low"), entry.get("high")])
    if not isinstance(pair, list) or len(pair) != 2:
        raise Unreadable(f"The interval of '{name}' is not [low, high].")
    if pair[0] is None or pair[1] is None:
        return None, None
    low, high = (number(end, f"The interval of '{name}'") for end in pair)
    if low > high:
        raise Unreadable(f"The interval of '{name}' ends before it begins.")
    return low, high


def _ends(subgroups: Any, metrics: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Per metric the subgroups in which it may be lowest and highest: by the end of the interval, or by the value without one."""
    groups = subgroups.get("groups") if isinstance(subgroups, dict) else None
    if not isinstance(groups, list):
        return {}
    measured: dict[str, list[dict[str, Any]]] = {}
    for group in groups[:MOST_METRICS]:
        if not isinstance(group, dict):
            raise Unreadable("A subgroup is not an object.")
        for name in metrics.keys() & group.keys():
            measured.setdefault(name, []).append(_subgroup(name, group))
    return {
        name: {
            "lowest": min(found, key=lambda one: one.get("low", one["value"])),
            "highest": max(found, key=lambda one: one.get("high", one["value"])),
        }
        for name, found in measured.items()
    }


def _subgroup(name: str, group: dict[str, Any]) -> dict[str, Any]:
    positive = group.get("n_positive") if name in ("recall", "sensitivity") else None
    entry = {"value": group[name], "n": group.get("n"), "ci95": group.get(f"{name}_ci95", [None, None])}
    value = number(entry["value"], f"'{name}' of a subgroup")
    cases = None if positive is None else count(positive, "The n_positive of a subgroup")
    low, high, how = honest(value, *_interval(name, entry), cases)
    rows = None if entry["n"] is None else count(entry["n"], "The n of a subgroup")
    found: dict[str, Any] = {"subgroup": str(group.get("subgroup", ""))[:120], "value": value, "interval": how}
    optional = {"n": rows if cases is None else cases, "rows": rows, "low": low, "high": high}
    return found | {key: item for key, item in optional.items() if item is not None}
