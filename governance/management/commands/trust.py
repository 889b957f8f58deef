"""What auditors need to verify reports of this installation, to be handed over by another way than the reports."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from governance.audits.trust import document


class Command(BaseCommand):
    help = "Prints trust.json: the journal's origin and public keys, and the fingerprint of the seal."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(document(), indent=2))
