"""`./concordat setup`: the first installation, without example data."""

from __future__ import annotations

import getpass
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.portal.errors import DomainError
from stewardship.roles.starter import refuse_second, set_up


class Command(BaseCommand):
    help = "Makes the root region, a first role and the first administrator. Asks for a password, or prints a generated one once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="name of the whole organisation, the root of its regions")
        parser.add_argument("--username", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--full-name", required=True, help="as it is printed beside signatures")
        parser.add_argument("--generate-password", action="store_true", help="do not ask, also at a terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        generate = options["generate_password"] or not sys.stdin.isatty()
        try:
            refuse_second()
            password = secrets.token_urlsafe(18) if generate else self._asked()
            fields = {name: options[name] for name in ("organisation", "username", "email", "full_name")}
            person = set_up(password=password, **fields)
        except DomainError as error:
            raise CommandError(f"{error} {error.remedy}".strip()) from error
        self.stdout.write(f"{person} may configure everything from {options['organisation']} downwards.")
        if generate:
            self.stdout.write(f"Password, shown only now: {password}")

    def _asked(self) -> str:
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Again: "):
            raise CommandError("The two passwords differ. Run the command again.")
        return first
