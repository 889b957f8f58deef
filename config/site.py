"""The one site: Django's admin, mounted at `/` inside our shell, for configuration only."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import apps, sites
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from config.portal.permission import reach

FLOORS = ("config.", "stewardship.", "monitoring.", "governance.", "tests.")


class PortalSite(sites.AdminSite):
    """Configuration pages. Who may enter is a question of rights, never of `is_staff`."""

    site_title = site_header = "Concordat"
    index_title = _("Configuration")
    # At `/` the catch-all would answer 302 to a typo below /api/ (measured), and hide every 404 page.
    final_catch_all_view = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only screens of our own floors: those of other packages ask Django's permissions, which our roles do not know."""
        # SECURITY: allauth's would show second-factor secrets, django-q's the arguments of jobs, to any superuser.
        if getattr(admin_class, "__module__", "").startswith(FLOORS):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever holds a right that at least one registered admin asks for."""
        user = request.user
        if not (user.is_authenticated and user.is_active):
            return False
        rights = {right for admin in self._registry.values() for right in getattr(admin, "rights", {}).values()}
        return any(reach(user, right) for right in sorted(rights))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """allauth's login, so that the second factor cannot be walked around."""
        # Imported late: allauth's decorators load its models, and this module is loaded before the apps are ready.
        from allauth.account.decorators import secure_admin_login

        return secure_admin_login(super().login)(request, extra_context)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Django's, with the index at a place of its own, since `/` belongs to the inbox; passwords are allauth's business."""
        elsewhere = {"index", "password_change", "password_change_done", "view_on_site"}
        rest = [entry for entry in super().get_urls() if getattr(entry, "name", "") not in elsewhere]
        return [path("configuration/", self.admin_view(self._index), name="index"), *rest]

    def _index(self, request: HttpRequest) -> HttpResponseBase:
        return self.index(request)


class PortalAdminConfig(apps.AdminConfig):
    """Django's admin with our site as the default one."""

    default = False  # otherwise this module holds two default AppConfigs
    default_site = "config.site.PortalSite"
