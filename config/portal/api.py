"""What every API view is made of: rights, cursor pages, idempotent POSTs, strict bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal import idempotency
from config.portal.api_defaults import CursorPagination, RightRequired, require_scope
from config.portal.errors import Invalid, TooLarge
from config.portal.models import IdempotentReply

__all__ = [
    "CursorPagination",
    "GovernedViewSet",
    "RightRequired",
    "StrictModelSerializer",
    "StrictSerializer",
    "read_body",
    "refuse_unknown",
    "require_scope",
]


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know: a misspelt field must not be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(self, data)
        return super().to_internal_value(data)


class StrictModelSerializer(serializers.ModelSerializer[Any]):
    """The same for serializers made from a model."""

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(self, data)
        return super().to_internal_value(data)


def refuse_unknown(serializer: serializers.Serializer[Any], data: Any) -> None:
    """Raise a ValidationError that names every field the serializer cannot take."""
    if not isinstance(data, Mapping):
        return
    known = {name for name, field in serializer.fields.items() if not field.read_only}
    unknown = sorted(set(map(str, data)) - known)
    if unknown:
        text = _("Unknown field. This endpoint takes: %(known)s.") % {"known": ", ".join(sorted(known))}
        raise serializers.ValidationError({name: [text] for name in unknown})


class _Replay(Exception):
    def __init__(self, reply: idempotency.Reply) -> None:
        self.reply = reply


if TYPE_CHECKING:
    _Viewset = viewsets.GenericViewSet[Any]
else:
    _Viewset = viewsets.GenericViewSet


class GovernedViewSet(_Viewset):
    """A viewset whose rows come through `allowed()` and which cannot exist without rights.

    `right` is the one for reading; `rights` may name others per action (`{"create": Right.REGISTER}`). Writing goes
    through a domain verb, which asks again for the very object.
    """

    abstract: ClassVar[bool] = True
    model: ClassVar[type[Model] | None] = None
    right: ClassVar[str] = ""
    rights: ClassVar[Mapping[str, str]] = {}
    _claim: IdempotentReply | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("abstract", False):
            return
        cls.abstract = False
        if not cls.viewing_right():
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} has no `right` and no `rights` for list or retrieve.")

    @classmethod
    def viewing_right(cls) -> str:
        """The right that decides which rows there are."""
        return str(cls.right or cls.rights.get("list") or cls.rights.get("retrieve") or cls.rights.get("create") or "")

    def required_right(self) -> str:
        """The right that the current action asks for."""
        return str(self.rights.get(self.action or "", "") or self.viewing_right())

    def get_queryset(self) -> QuerySet[Any]:
        """Only rows that this person may see."""
        source: Any = getattr(self, "queryset", None)
        if source is None:
            source = getattr(self.model, "objects", None)
        if source is None:
            raise TypeError(f"{type(self).__qualname__} needs `model` or `queryset`.")
        rows: QuerySet[Any] = source.all().allowed(self.request.user, self.viewing_right())
        return rows

    # Idempotency-Key -----------------------------------------------------------------------------

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key:
            known = idempotency.begin(request.user, key, idempotency.digest("POST", request.get_full_path(), request._request.body))
            if isinstance(known, idempotency.Reply):
                raise _Replay(known)
            self._claim = known

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replay):
            return exc.reply  # type: ignore[return-value] # made a response in finalize_response
        try:
            return super().handle_exception(exc)
        except Exception:
            if self._claim is not None:
                idempotency.abandon(self._claim)
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response, idempotency.Reply):
            replay: Any = idempotency.replayed(response)
            return super().finalize_response(request, replay, *args, **kwargs)
        final = super().finalize_response(request, response, *args, **kwargs)
        if self._claim is not None:
            if hasattr(final, "add_post_render_callback"):
                final.add_post_render_callback(self._keep)
            else:
                self._keep(final)
        return final

    def _keep(self, response: Any) -> None:
        if self._claim is not None and response.streaming:
            idempotency.abandon(self._claim)  # what was streamed is gone; the repeat streams it again
        elif self._claim is not None:
            media_type = response.headers.get("Content-Type", "application/json")
            idempotency.finish(self._claim, idempotency.Reply(response.status_code, media_type, response.content))


def read_body(request: HttpRequest, limit: int = 0) -> bytes:
    """The raw body, at most `limit` bytes (default settings.MAX_BODY_BYTES); raises TooLarge (413)."""
    limit = limit or settings.MAX_BODY_BYTES
    try:
        declared = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        raise Invalid(_("Content-Length is not a number."), field="Content-Length") from None
    body = b"" if declared > limit else request.read(limit + 1)
    if declared > limit or len(body) > limit:
        raise TooLarge(_("The body is larger than %(limit)d bytes.") % {"limit": limit}, remedy=_("Send it in several requests."))
    return body
