"""The pages that belong to nobody's domain."""

from __future__ import annotations

from django.urls import URLPattern, path

from config.portal.palette import PalettePage
from config.portal.views import choose_look, totp_picture

urlpatterns: list[URLPattern] = [
    path("palette/", PalettePage.as_view(), name="palette"),
    path("theme/", choose_look, name="theme"),
    path("accounts/2fa/totp/picture.svg", totp_picture, name="totp_picture"),
]
