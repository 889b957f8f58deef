"""After a full run: no test was skipped for an unlisted reason, and coverage is where it must be.

Run with `python -m tests.verdict RESULTS.xml…` after `pytest --junitxml=… --cov`.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from defusedxml.ElementTree import parse

# Why a test may be skipped in a full run. Anything else means that something is missing on the machine.
ALLOWED_SKIPS = (
    re.compile(r"^needs PostgreSQL"),  # the SQLite run; the PostgreSQL run does it
    re.compile(r"^needs SQLite"),  # the PostgreSQL run; the SQLite run does it
    re.compile(r"^interop: "),  # a real peer; `make interop` does it
    re.compile(r"^soak only"),  # `make soak` does it
)
WHOLE = 90.0  # percent, branches included
COMPLETE = re.compile(r"^stewardship/(access|journal)/(?!management/)|(^|/)rules\.py$")


def unlisted_skips(paths: list[Path]) -> list[str]:
    """Each skipped test whose reason is not on the list, as `test: reason`."""
    found = []
    for path in paths:
        for case in parse(path).getroot().iter("testcase"):
            for skipped in case.iter("skipped"):
                reason = skipped.get("message") or ""
                if not any(pattern.search(reason) for pattern in ALLOWED_SKIPS):
                    found.append(f"{case.get('classname')}.{case.get('name')}: {reason}")
    return found


def coverage_gaps() -> list[str]:
    """What is below its bound, as sentences."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", file.name], check=True)
        report = json.load(io.BytesIO(Path(file.name).read_bytes()))
    gaps = []
    whole = report["totals"]["percent_covered"]
    print(f"Coverage: {whole:.1f} % of lines and branches.")
    if whole < WHOLE:
        gaps.append(f"Coverage is {whole:.1f} %, below {WHOLE} %.")
    for name, entry in sorted(report["files"].items()):
        summary = entry["summary"]
        if COMPLETE.search(name) and summary["percent_covered"] < 100:
            missing = f"lines {entry['missing_lines']}, branches {entry['missing_branches']}"
            gaps.append(f"{name} is covered to {summary['percent_covered']:.1f} %; {missing}.")
    return gaps


def main(arguments: list[str]) -> int:
    """0 when all is well, 1 with the list when not, 3 without results."""
    if not arguments:
        print(__doc__)
        return 3
    problems = [f"Skipped without leave: {line}" for line in unlisted_skips([Path(name) for name in arguments])] + coverage_gaps()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
