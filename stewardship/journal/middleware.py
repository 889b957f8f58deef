"""Every signed-in request acts as its person, and sequences what it wrote once it has answered."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from stewardship.journal.acting import acting
from stewardship.journal.sequence import sequence

logger = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def act(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Enter `acting()` around the request; after a request that may have written, turn the outbox into entries."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            with acting(request.user, via=f"{request.method} {_route(request)}"):
                response = get_response(request)
        else:
            response = get_response(request)
        if request.method not in SAFE:
            # Called once the server has sent the answer: two waits for the disk are not the person's to wait for.
            response._resource_closers.append(_sequence)  # type: ignore[attr-defined]
        return response

    return handle


def _route(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).route
    except Resolver404:
        return request.path_info


def _sequence() -> None:
    try:
        sequence(wait=False)
    except Exception:
        # The rows are safe in the outbox and `tick` tries again within a second; the person's answer must not fail.
        logger.exception("Sequencing after a request failed.")
