"""The portal as a Django app: its static files, its template tags, its start-up registrations."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "config.portal"
    label = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Registrations only: no queries."""
        from allauth.mfa.signals import authenticator_added

        from config.portal import health, idempotency, second_factor, tick

        health.register()
        tick.chore("old idempotent replies", every=3600)(idempotency.forget_old)
        authenticator_added.connect(second_factor.enrolled, dispatch_uid="portal second factor")
        post_migrate.connect(schedule_net, sender=self, dispatch_uid="portal net")


def schedule_net(using: str = "default", **kwargs: Any) -> None:
    """Have the job worker tick once a minute. After every migrate, since a flush removes the row."""
    from django_q.models import Schedule

    Schedule.objects.using(using).update_or_create(
        name="tick", defaults={"func": "config.portal.tick.net", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    )
