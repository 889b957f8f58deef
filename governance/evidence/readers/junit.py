"""Test results as JUnit XML, as pytest and others write them.

SECURITY: host names, file paths and tracebacks are left out of the readings and of the file that is kept; only names, outcomes and
times stay. Entities and document types are refused before they are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring  # builds; defusedxml parses

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from governance.evidence.readers import Reading, Unreadable

MOST_BYTES = 5 * 1024 * 1024
MOST_TESTS = 20_000
MOST_NAMES = 100
DEEPEST = 50
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.+@~-]+){2,}[\\/]?|\b[\w.-]+@[\w.-]+\b")
_BAD = {"failure": "failed", "error": "errors"}


def read(data: bytes) -> Reading:
    """{"tests": {total, passed, failed, errors, skipped, failed_names}} and the same results without hosts, paths, tracebacks."""
    root = _parse(data)
    cases = list(_cases(root))
    if not cases:
        raise Unreadable("The file has no test cases.")
    _check_totals(root)
    counts = {"passed": 0, "failed": 0, "errors": 0, "skipped": 0}
    failed: list[str] = []
    kept = Element("testsuites")
    suite = SubElement(kept, "testsuite")
    for case in cases:
        outcome = _outcome(case)
        counts[outcome] += 1
        name = _name(case)
        if outcome in ("failed", "errors") and len(failed) < MOST_NAMES:
            failed.append(name)
        _keep(suite, case, outcome)
    suite.attrib.update({"tests": str(len(cases)), "failures": str(counts["failed"]), "errors": str(counts["errors"])})
    suite.set("skipped", str(counts["skipped"]))
    readings: dict[str, Any] = {"tests": {"total": len(cases), **counts, "failed_names": failed}}
    return Reading(readings, tostring(kept, encoding="utf-8", xml_declaration=True))


def without_paths(text: str) -> str:
    """The text with paths and addresses of people replaced by an ellipsis."""
    return _PATH.sub("…", text)


def _parse(data: bytes) -> Element:
    if len(data) > MOST_BYTES:
        raise Unreadable(f"The file has {len(data)} bytes; up to {MOST_BYTES} are read.")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise Unreadable("The XML declares a document type or entities, which are not read.")
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"This is not XML: {error}.")
    if root.tag not in ("testsuites", "testsuite"):
        raise Unreadable("The file is XML, but its root is neither testsuites nor testsuite.")
    return root


def _cases(element: Element, depth: int = 0) -> Iterator[Element]:
    if depth > DEEPEST:
        raise Unreadable(f"Test suites are nested more than {DEEPEST} deep.")
    for child in element:
        if child.tag == "testcase":
            yield child
        elif child.tag in ("testsuite", "testsuites"):
            yield from _cases(child, depth + 1)


def _check_totals(root: Element) -> None:
    """A file that was cut, or edited, names other totals than it holds."""
    suites = [root] if root.tag == "testsuite" else [child for child in root if child.tag == "testsuite"]
    for suite in suites:
        cases = list(_cases(suite))
        if len(cases) > MOST_TESTS:
            raise Unreadable(f"The file has more than {MOST_TESTS} tests.")
        held = {"tests": len(cases)} | {f"{kind}s": sum(1 for case in cases if case.find(kind) is not None) for kind in _BAD}
        for attribute, number in held.items():
            said = suite.get(attribute)
            if said is not None and said.strip() != str(number):
                raise Unreadable(f"A suite says {attribute}={said[:20]}, but holds {number}.")


def _outcome(case: Element) -> str:
    # A test that passed and then failed in tear-down has both: the worst counts.
    for tag, outcome in (("error", "errors"), ("failure", "failed"), ("skipped", "skipped")):
        if case.find(tag) is not None:
            return outcome
    return "passed"


def _name(case: Element) -> str:
    parts = (case.get("classname", ""), case.get("name", ""))
    return without_paths(".".join(part for part in parts if part))[:200] or "?"


def _keep(suite: Element, case: Element, outcome: str) -> None:
    attributes = {key: without_paths(case.get(key, ""))[:200] for key in ("classname", "name")}
    kept = SubElement(suite, "testcase", attributes)
    seconds = _seconds(case.get("time", ""))
    if seconds is not None:
        kept.set("time", seconds)
    if outcome != "passed":
        tag = {"errors": "error", "failed": "failure", "skipped": "skipped"}[outcome]
        found = case.find(tag)
        lines = (found.get("message") or "").strip().splitlines() if found is not None else []
        SubElement(kept, tag, {"message": without_paths(lines[0])[:300] if lines else ""})


def _seconds(text: str) -> str | None:
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        return None
    return str(seconds) if seconds.is_finite() and abs(seconds.adjusted()) < 12 else None
