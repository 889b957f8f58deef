"""Every address. Order matters: the site at `/` comes last, and whatever is not a page has its own end before it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

import governance
import monitoring
import stewardship
from config.portal import health, problems

handler400 = "config.portal.problems.bad_request"
handler403 = "config.portal.problems.forbidden"
handler404 = "config.portal.problems.not_found"
handler500 = "config.portal.problems.server_error"


def _api() -> list[URLPattern | URLResolver]:
    """What every slice's `api.py` offers: `routes` (prefix, viewset, basename) and `urlpatterns`."""
    router = SimpleRouter()
    plain: list[URLPattern | URLResolver] = []
    for module in map(import_module, _api_modules()):
        for prefix, viewset, basename in getattr(module, "routes", ()):
            router.register(prefix, viewset, basename)
        plain.extend(getattr(module, "urlpatterns", ()))
    return [path("schema/", SpectacularAPIView.as_view(), name="schema"), *plain, *router.urls]


def _api_modules() -> Iterator[str]:
    for app in (stewardship, monitoring, governance):
        for entry in pkgutil.iter_modules(app.__path__):
            if entry.ispkg and any(inner.name == "api" for inner in pkgutil.iter_modules([f"{app.__path__[0]}/{entry.name}"])):
                yield f"{app.__name__}.{entry.name}.api"


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include(_api())),
    path("accounts/", include("config.portal.account_urls")),
    path("", include("config.portal.urls")),
    path("", include("governance.urls")),
    path("", include("monitoring.urls")),
    path("", include("stewardship.urls")),
    re_path(r"^(?:api|journal)(?:/.*)?$", problems.no_such_endpoint),
    path("", admin.site.urls),
]
