"""Looking again at what the gate would say about a change."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from config.portal.pages import ObjectPage
from governance.changes.models import ChangeRequest
from governance.changes.rights import ChangeRight
from governance.gate import standing
from governance.gate.panels import place_of


class GateLook(ObjectPage):
    """Judge an agreed change anew. Nobody has asked the gate by it, so that no permit is signed and no verdict recorded."""

    right = ChangeRight.VIEW
    model = ChangeRequest
    select_related = ("model__region", "model__family", "version__model__region", "version__model__family", "environment", "region")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        place = place_of(self.object)
        if place is not None:
            standing.rebuild(place, issue=False)
        return HttpResponseRedirect(f"{self.object.get_absolute_url()}#gate")
