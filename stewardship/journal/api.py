"""The journal over HTTP: entries in the order of the tree, and proofs as files."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.portal.errors import Invalid
from stewardship.journal.errors import UnknownRecord
from stewardship.journal.models import Entry
from stewardship.journal.proof import Prover
from stewardship.journal.publish import latest
from stewardship.journal.rights import EntryRight, ProofRight
from stewardship.journal.sight import visible

PAGE = 100
SCAN = 2_000  # entries looked through for one page, so that a page costs the same whoever asks


class EntrySerializer(serializers.Serializer[Any]):
    """One entry: its place, its leaf, the leaf's hash."""

    index = serializers.IntegerField()
    table = serializers.CharField()
    record = serializers.CharField()
    object = serializers.CharField()
    n = serializers.IntegerField()
    leaf_hash = serializers.CharField()
    leaf = serializers.DictField()


class EntryPageSerializer(serializers.Serializer[Any]):
    """A page of entries; `next` is the cursor to go on from, also when this page is empty."""

    results = EntrySerializer(many=True)
    next = serializers.IntegerField(allow_null=True)
    published = serializers.IntegerField()


class EntriesView(APIView):
    """The stream of published entries that the caller may see."""

    right: ClassVar[str] = EntryRight.VIEW

    @extend_schema(
        operation_id="journal_entries",
        parameters=[OpenApiParameter("cursor", int, description="Index to start at (default 0).")],
        responses=EntryPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Entries from an index on; follow `next` until it is null."""
        start = _whole(request.query_params.get("cursor", "0"))
        newest = latest()
        size = newest.size if newest else 0
        scanned = list(Entry.objects.filter(index__gte=start, index__lt=size).order_by("index")[:SCAN])
        found = visible(request.user, scanned)
        page = found[:PAGE]
        if len(found) > PAGE:
            following: int | None = page[-1].index + 1
        else:
            following = scanned[-1].index + 1 if scanned and scanned[-1].index + 1 < size else None
        return Response({"results": [_shown(entry) for entry in page], "next": following, "published": size})


class ProofView(APIView):
    """The proof of one row, as a file that verifies offline."""

    right: ClassVar[str] = ProofRight.EXPORT

    @extend_schema(
        operation_id="journal_proof",
        parameters=[OpenApiParameter("table", str, required=True), OpenApiParameter("record", str, required=True)],
        responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="C2SP tlog-proof@v1")},
    )
    def get(self, request: Request) -> HttpResponse:
        """The row's leaf, its path to the root, and the signed checkpoint."""
        table, record = request.query_params.get("table", ""), request.query_params.get("record", "")
        for name, value in (("table", table), ("record", record)):
            if not value or len(value) > 100 or "\x00" in value:
                raise Invalid(_("Say which row: table and record."), field=name, remedy=_("Both stand in the entry."))
        entry = Entry.objects.filter(tbl=table, hid=record).first()
        if entry is None or not visible(request.user, [entry]):
            raise UnknownRecord(_("The journal holds no such row, or none that you may see."), field="record")
        response = HttpResponse(Prover().of(entry).write(), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{entry.tbl}-{entry.hid}.tlog-proof"'
        return response


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Invalid(_("The cursor is an index, a plain number."), field="cursor", remedy=_("Follow “next” from the first page."))
    return int(text)


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "index": entry.index,
        "table": entry.tbl,
        "record": entry.hid,
        "object": entry.obj,
        "n": entry.n,
        "leaf_hash": bytes(entry.leaf_hash).hex(),
        "leaf": json.loads(entry.payload),
    }


urlpatterns = [
    path("journal/entries/", EntriesView.as_view(), name="api_journal_entries"),
    path("journal/proof/", ProofView.as_view(), name="api_journal_proof"),
]
