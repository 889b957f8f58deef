"""Builds the worked example: `python -m demo.build`, after the migrations. Told once; a second run changes nothing.

The organisation is set up in one transaction and the year is told in another, so that a build that was killed is simply
run again.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Build what is not there yet; gives the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("JOURNAL_ORIGIN", "example.concordat.invalid")
    import django

    django.setup()
    from django.conf import settings

    from demo import story
    from governance.audits.trust import document
    from stewardship.signing.errors import CredentialRefused

    target = Path(settings.VAR) / "demo.json"
    if target.exists():
        print("The worked example is there already.", file=sys.stderr)
        return 0
    problem = story.refusal()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        users = story.tell()
    except CredentialRefused:
        print("This machine was too busy: the proofs of who signs had run out. Nothing was kept; run it again.", file=sys.stderr)
        return 1
    write(target.with_name("trust.json"), document())  # so that ./concordat verify knows whom to believe on this machine
    write(target, {"base_url": settings.BASE_URL, "users": users})
    print(f"The worked example is ready. Names and passwords: {target}", file=sys.stderr)
    return 0


def write(path: Path, document: dict[str, Any]) -> None:
    """Write the file whole, readable by its owner only: it holds passwords and tokens."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
