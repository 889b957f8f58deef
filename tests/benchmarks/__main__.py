"""Runs every benchmark in a process of its own and prints its JSON lines: `python -m tests.benchmarks [name…]`.

Each module prints `{"bench", "value", "unit", "budget", "ok"}` a line. Exit 1 when a budget is missed or a benchmark breaks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    missed = 0
    known = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    for name in names or known:
        result = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], stdout=subprocess.PIPE, text=True, check=False)
        for line in result.stdout.splitlines():
            print(line, flush=True)
            try:
                missed += json.loads(line).get("ok") is False
            except ValueError:
                continue
        if result.returncode:
            print(json.dumps({"bench": name, "ok": False, "error": f"exit {result.returncode}"}), flush=True)
            missed += 1
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
