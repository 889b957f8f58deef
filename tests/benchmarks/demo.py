"""How long the worked example takes to be built, from an empty database: `python -m tests.benchmarks.demo`."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile

from tests.benchmarks._bench import seconds

SECONDS = 60.0


def main() -> int:
    """Migrate, then build as `make demo` does, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "MIGRATION_DATABASE_URL", "EMAIL_URL"}}
        environment = kept | {"VAR": folder, "JOURNAL_ORIGIN": "example.concordat.invalid", "DJANGO_SETTINGS_MODULE": "config.settings"}

        def run(*arguments: str) -> None:
            subprocess.run([sys.executable, *arguments], env=environment, check=True, stderr=subprocess.DEVNULL)

        migrated = seconds(lambda: run("manage.py", "migrate", "-v", "0"))
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        built = seconds(lambda: run("-m", "demo.build"))
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    note = f"{cpu:.0f} s of CPU time; migrating took {migrated:.0f} s before"
    print(
        json.dumps({"bench": "demo.build", "value": round(built, 1), "unit": "s", "budget": SECONDS, "ok": built <= SECONDS, "note": note})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
