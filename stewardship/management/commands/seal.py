"""The portal's seal: what auditors need to recognise it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from stewardship.documents import seal


class Command(BaseCommand):
    help = "Shows the certificate of the portal's seal (made at the first use), or its fingerprint."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["certificate", "fingerprint"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "certificate":
            self.stdout.write(seal.certificate_pem().decode(), ending="")
        else:
            self.stdout.write(seal.fingerprint())
