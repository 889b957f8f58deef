"""Pages and endpoints on the region tree, to test the shell's own parts with a governed noun and no domain around it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from config.portal.api import GovernedViewSet, StrictSerializer, read_body
from config.portal.chips import Chip
from config.portal.errors import Conflict, Invalid
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage, PageAction, Tab
from config.portal.tables import Column, Filter, Table
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as real
from stewardship.journal.acting import acting
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight

__all__ = ["handler400", "handler403", "handler404", "handler500"]

CALLS: list[str] = []


class RegionTable(Table):
    columns = (
        Column("name", "Region", link=lambda region: f"/example/{region.pk}/", order="name"),
        Column("state", "State", value=lambda region: Chip("practice", "watch") if region.practice else Chip("real", "good")),
        Column("code", "Code", order="code", mono=True),
        Column("language", "Language"),
    )
    filters = (
        Filter("language", "Language", choices=[("en", "English"), ("de", "German")]),
        Filter("parent", "Parent"),
    )
    ordering = ("language", "name")
    search = ("name__icontains", "code__icontains")
    per_page = 3
    caption = "Regions"
    empty = "There is no region yet."


class RegionList(ListPage):
    model, right, title, table = Region, RegionRight.VIEW, "Regions of the example", RegionTable


class RegionPage(ObjectPage):
    model, right = Region, RegionRight.VIEW
    template_name = "portal/base.html"
    tabs = (Tab("one", "One"), Tab("two", "Two", 3))

    def get_crumbs(self) -> list[Crumb]:
        return [Crumb("Regions", "/example/")]

    def get_chips(self) -> list[Chip]:
        return [Chip(self.object.code, is_name=True), Chip("")]

    def get_actions(self) -> list[PageAction]:
        return [PageAction("Rename", f"/example/{self.object.pk}/rename/", primary=True)]


class RenameForm(forms.Form):
    name = forms.CharField(max_length=120)
    reason = forms.CharField(required=False)


class RenameRegion(ActionPage):
    model, right, title, form_class = Region, RegionRight.VIEW, "Rename", RenameForm
    success = "It has a new name."

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def submit(self, form: Any) -> str:
        name = form.cleaned_data["name"]
        if name == "taken":
            raise Conflict("Another region has this name.", field="name", remedy="Choose another name.")
        if name == "never":
            raise Invalid("It cannot be renamed.", remedy="Ask at the root.")
        with acting(self.request.user, "renamed"):
            self.object.name = name
            self.object.save()
        return f"/example/{self.object.pk}/"


class RegionSerializer(StrictSerializer):
    code = serializers.SlugField()
    name = serializers.CharField(max_length=20)
    language = serializers.CharField(read_only=True)


class RegionViewSet(GovernedViewSet):
    model = Region
    rights = {"list": RegionRight.VIEW, "create": RegionRight.CONFIGURE}
    serializer_class = RegionSerializer
    ordering = ("code",)

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(RegionSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(RegionSerializer(self.get_object()).data)

    def create(self, request: Request) -> Response:
        data = RegionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        CALLS.append(data.validated_data["code"])
        if data.validated_data["name"] == "boom":
            raise RuntimeError("unforeseen")
        if data.validated_data["name"] == "taken":
            raise Conflict("There is one already.", field="code", remedy="Choose another code.")
        return Response({"code": data.validated_data["code"], "n": len(CALLS)}, status=201)


def raw(request: Any) -> Any:
    from django.http import HttpResponse

    return HttpResponse(str(len(read_body(request, 10))))


router = SimpleRouter()
router.register("example-regions", RegionViewSet, "example-region")

urlpatterns = [
    path("example/", RegionList.as_view(), name="example_list"),
    path("example/<uuid:pk>/", RegionPage.as_view(), name="example_detail"),
    path("example/<uuid:pk>/rename/", RenameRegion.as_view(), name="example_rename"),
    path("api/v1/example-raw/", raw),
    path("api/v1/", include(router.urls)),
    *real,
]
