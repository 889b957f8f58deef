"""An installation with one report that waits for a worker: `python -m tests.governance.report_drill`, VAR and DATABASE_URL given."""

from __future__ import annotations

import os

import django


def main() -> None:
    """Tables, cast, story, request."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    # Tables straight from the models: what is drilled is the worker, not the migrations.
    settings.MIGRATION_MODULES = {app.label: None for app in django.apps.apps.get_app_configs()}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", run_syncdb=True, verbosity=0)

    from governance.audits.request import request
    from tests.cast import make_cast
    from tests.governance.audit_case import story

    cast = make_cast()
    print(request(model=story(cast), actor=cast.users["alice"]).pk)


if __name__ == "__main__":
    main()
