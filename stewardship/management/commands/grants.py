"""`grants`: make everybody's grants what the roles say; with `--check` only compare."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stewardship.access import grants


class Command(BaseCommand):
    help = "Rebuild the grants from the role assignments, or compare the two."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; exit 1 when they differ")

    def handle(self, *args: Any, **options: Any) -> None:
        found = grants.check()
        for difference in found:
            spec = difference.spec
            word = "missing" if difference.missing else "superfluous"
            self.stdout.write(f"{word}: {spec.user} {spec.right} on {spec.kind} {spec.scope} from assignment {spec.source}")
        if options["check"]:
            if found:
                raise CommandError(f"{len(found)} grants differ from the roles.", returncode=1)
            self.stdout.write("Grants and roles agree.")
            return
        grants.rebuild_all()
        self.stdout.write(f"{len(found)} grants put right.")
