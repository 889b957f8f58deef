"""The open part: checkpoint and tiles hold hashes only. The entries themselves need a right."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from stewardship.journal import feed, pages

urlpatterns: list[URLPattern] = [
    path("journal/checkpoint", feed.checkpoint, name="journal_checkpoint"),
    re_path(r"^journal/tile/entries/(?P<number>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?$", feed.entries, name="journal_bundle"),
    re_path(
        r"^journal/tile/(?P<level>\d{1,2})/(?P<number>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?$", feed.tile, name="journal_tile"
    ),
    path("journal-entries/", pages.JournalList.as_view(), name="journal_list"),
    path("history/<str:label>/<uuid:pk>/", pages.HistoryPage.as_view(), name="history"),
    path("history/<str:label>/<uuid:pk>/proof/<str:record>/", pages.ProofDownload.as_view(), name="history_proof"),
]
