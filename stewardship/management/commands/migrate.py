"""Django's own `migrate`, which leaves no database without its guards when a migration fails."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from stewardship.journal.around_migrations import put_back


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except BaseException:
            put_back(options["database"])
            raise
