"""What is read in real files, and what hostile ones lead to."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.evidence.readers import Reading, Unreadable, junit, kinds, metrics
from governance.evidence.readers.intervals import honest, wilson

DATA = Path(__file__).parent / "data"


def read_metrics(document: Any) -> dict[str, Any]:
    return metrics.read(json.dumps(document).encode()).readings["metrics"]


def test_the_readers_that_come_with_the_portal() -> None:
    assert {"metrics", "junit"} <= set(kinds())


def test_real_metrics_carry_the_cases_behind_a_share() -> None:
    found = metrics.read((DATA / "1.2.0" / "metrics.json").read_bytes()).readings
    recall = found["metrics"]["recall"]
    assert recall["value"] == Decimal("0.96875")
    assert (recall["n"], recall["rows"]) == (64, 171), "64 positive cases, not 171 rows"
    assert (recall["low"], recall["high"], recall["interval"]) == (Decimal("0.921875"), Decimal("1.0"), "reported")
    assert found["metrics"]["precision"]["n"] == 76
    assert found["metrics"]["roc_auc"]["n"] == 171
    assert found["confusion_matrix"]["false_negative"] == 2


def test_an_interval_that_collapsed_is_not_certainty() -> None:
    precision = metrics.read((DATA / "1.0.0" / "metrics.json").read_bytes()).readings["metrics"]["precision"]
    assert (precision["value"], precision["n"], precision["interval"]) == (Decimal("1.0"), 57, "wilson")
    assert (precision["low"], precision["high"]) == (Decimal("0.936861"), Decimal("1.000000"))


def test_the_subgroups_at_both_ends_stand_beside_their_metric() -> None:
    recall = metrics.read((DATA / "1.2.0" / "metrics.json").read_bytes()).readings["metrics"]["recall"]
    assert "worst" not in recall, "the file does not say which way is bad"
    assert recall["lowest"] == {
        "subgroup": "mean radius < 13.37",
        "value": Decimal("0.8"),
        "interval": "reported",
        "n": 5,
        "rows": 92,
        "low": Decimal("0.4"),
        "high": Decimal("1.0"),
    }


def test_which_end_is_the_worst_depends_on_the_metric() -> None:
    groups = [{"subgroup": "young", "recall": 0.9, "mape": 0.1, "odd": 1}, {"subgroup": "old", "recall": 0.8, "mape": 0.3, "odd": 2}]
    read = read_metrics({"metrics": {"recall": 0.85, "mape": 0.2, "odd": 1, "alone": 1}, "subgroups": {"groups": groups}})
    found = metrics.point_out_worst(read, {"mape": "higher_is_worse", "alone": "higher_is_worse", "odd": "outside_range"})
    assert {name: one["worst"]["subgroup"] for name, one in found.items() if "worst" in one} == {"recall": "old", "mape": "old"}
    assert metrics.point_out_worst(read, {"recall": "higher_is_worse"})["recall"]["worst"]["subgroup"] == "young", "the catalogue decides"


@pytest.mark.parametrize(
    ("share", "n", "low", "high"), [("1", 10, "0.722467", "1"), ("0", 10, "0", "0.277533"), ("0.5", 100, "0.403832", "0.596168")]
)
def test_wilsons_interval_is_the_published_one(share: str, n: int, low: str, high: str) -> None:
    assert wilson(Decimal(share), n) == (Decimal(low), Decimal(high))


def test_no_interval_is_claimed_where_nothing_is_known() -> None:
    assert honest(Decimal(1), Decimal(1), Decimal(1), None) == (None, None, "none")
    assert honest(Decimal(3), None, None, 10) == (None, None, "none")
    assert honest(Decimal(1), None, None, 0) == (None, None, "none")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"metrics": {"AUC (test)": 0.9}}, {"auc_test": {"value": Decimal("0.9"), "interval": "none"}}),
        (
            {"metrics": {"auc": {"value": 1, "n": 5, "low": 0.5, "high": 1}}},
            {"auc": {"value": 1, "interval": "reported", "n": 5, "rows": 5, "low": Decimal("0.5"), "high": 1}},
        ),
        (
            {"metrics": [{"name": "auc", "value": 1, "ci95": [None, None]}], "n": 7},
            {"auc": {"value": 1, "interval": "none", "n": 7, "rows": 7}},
        ),
        ({"metrics": {"auc": 1}, "subgroups": "none"}, {"auc": {"value": 1, "interval": "none"}}),
    ],
)
def test_plain_documents_are_read_too(document: Any, expected: Any) -> None:
    assert read_metrics(document) == expected


def test_a_subgroup_without_interval_is_compared_by_its_value() -> None:
    groups = [{"subgroup": "a", "acc": 0.9, "n": 3}, {"subgroup": "b", "acc": 0.7}, {"subgroup": "c", "acc": 0.8}]
    found = read_metrics({"metrics": {"acc": 0.8}, "subgroups": {"groups": groups}})
    assert found["acc"]["lowest"] == {"subgroup": "b", "value": Decimal("0.7"), "interval": "none"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "no JSON object"),
        ({}, "no list or object 'metrics'"),
        ({"metrics": []}, "no metrics"),
        ({"metrics": [1]}, "Metric 1 is not an object"),
        ({"metrics": [{"value": 1}]}, "Metric 1 has no name"),
        ({"metrics": {"7": 1}}, "no name that a rule could use"),
        ({"metrics": {"a": "1"}}, "The value of 'a' is not a number"),
        ({"metrics": {"a": True}}, "The value of 'a' is not a number"),
        ({"metrics": {"a": None}}, "The value of 'a' is not a number"),
        ({"metrics": {"a": {"value": 1, "n": -1}}}, "The n of 'a' is not a count"),
        ({"metrics": {"a": {"value": 1, "n": 1.5}}}, "The n of 'a' is not a count"),
        ({"metrics": {"a": {"value": 1, "ci95": [2, 1]}}}, "ends before it begins"),
        ({"metrics": {"a": {"value": 1, "ci95": "1-2"}}}, "not [low, high]"),
        ({"metrics": [{"name": "A", "value": 1}, {"name": "a", "value": 2}]}, "twice"),
        ({"metrics": {f"m{number}": 1 for number in range(501)}}, "more than 500"),
        ({"metrics": {"recall": 1}, "confusion_matrix": []}, "not an object"),
        ({"metrics": {"recall": 1}, "confusion_matrix": {"true_positive": 1}}, "false_positive is not a number"),
        ({"metrics": {"recall": 1}, "subgroups": {"groups": [1]}}, "A subgroup is not an object"),
        ({"metrics": {"recall": 1}, "subgroups": {"groups": [{"recall": "x"}]}}, "'recall' of a subgroup is not a number"),
    ],
)
def test_metrics_that_make_no_sense_are_named(document: Any, problem: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_metrics(document)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"metrics": {"a": NaN}}',
        b'{"metrics": {"a": 1e999999999}}',
        b'{"metrics": {"a": 1' + b"0" * 400 + b"}}",
        b"[" * 100_000,
        b'{"metrics": ' * 5_000,
        b" " * (2 * 1024 * 1024 + 1),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_hostile_json_is_unreadable_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(Unreadable):
        metrics.read(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(data: bytes) -> None:
    for reader in (metrics.read, junit.read):
        try:
            assert isinstance(reader(data), Reading)
        except Unreadable:
            continue


def test_real_test_results() -> None:
    tests = junit.read((DATA / "1.2.0" / "junit.xml").read_bytes()).readings["tests"]
    assert tests == {
        "total": 8,
        "passed": 6,
        "failed": 1,
        "errors": 0,
        "skipped": 1,
        "failed_names": ["test_model.test_brier_score_at_most_0_065"],
    }
    assert junit.read((DATA / "1.0.0" / "junit.xml").read_bytes()).readings["tests"]["passed"] == 8


def test_hosts_paths_and_tracebacks_are_left_out() -> None:
    reading = junit.read((DATA / "1.2.0" / "junit.xml").read_bytes())
    assert reading.kept is not None
    for trace in (b"hostname", b"127.0.0.1", b"/build/tests", b"record_property", b"timestamp", b"array("):
        assert trace not in reading.kept
    assert b"Brier score 0.0742 of 1.2.0 is above 0.065" in reading.kept
    assert junit.read(reading.kept).readings == reading.readings, "what is kept says the same"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at /home/alice/work/test_x.py:3", "at …:3"),
        ("C:\\Users\\bob\\x.py failed", "… failed"),
        ("mail alice@bank.example now", "mail … now"),
        ("recall 0.5/0.9 and/or", "recall 0.5/0.9 and/or"),
    ],
)
def test_paths_and_addresses_are_replaced(text: str, expected: str) -> None:
    assert junit.without_paths(text) == expected


def suite(*cases: str, **attributes: str) -> bytes:
    said = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f"<testsuite {said}>{''.join(cases)}</testsuite>".encode()


OK, BAD = '<testcase classname="m" name="ok" time="0.1"/>', '<testcase name="bad" time="soon"><failure/></testcase>'


def test_a_test_that_passed_and_then_broke_counts_as_broken() -> None:
    case = '<testcase name="both"><failure message="a"/><error message="b"/></testcase>'
    tests = junit.read(suite(OK, case, OK)).readings["tests"]
    assert (tests["passed"], tests["failed"], tests["errors"], tests["failed_names"]) == (2, 0, 1, ["both"])


def test_nested_suites_are_added_up_and_only_a_hundred_names_kept() -> None:
    nested = b"<testsuites><testsuite>" + suite(*[BAD] * 150) + b"</testsuite>" + suite(OK) + b"<properties/></testsuites>"
    tests = junit.read(nested).readings["tests"]
    assert (tests["total"], tests["failed"], len(tests["failed_names"])) == (151, 150, 100)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not XML"),
        (b"<html/>", "root is neither"),
        (b"<testsuites/>", "no test cases"),
        (suite(OK, tests="2"), "says tests=2, but holds 1"),
        (suite(BAD, failures="0"), "says failures=0, but holds 1"),
        (suite(OK, errors="3"), "says errors=3, but holds 0"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite>&x;</testsuite>', "document type"),
        (b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        (b"<testsuites>" + b"<testsuite>" * 60 + b"</testsuite>" * 60 + b"</testsuites>", "nested more than 50 deep"),
        (b"<testsuite>" + b"<testcase/>" * 20_001 + b"</testsuite>", "more than 20000 tests"),
        (b" " * (5 * 1024 * 1024 + 1), "5242881 bytes"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "not XML"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_hostile_xml_is_unreadable_and_nothing_worse(data: bytes, problem: str) -> None:
    with pytest.raises(Unreadable) as refused:
        junit.read(data)
    assert problem in str(refused.value)


def test_a_case_without_a_name_is_still_counted() -> None:
    assert junit.read(suite("<testcase><failure message='x&#10;y'/></testcase>")).readings["tests"]["failed_names"] == ["?"]
