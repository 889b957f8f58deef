"""One module per format; each has `parse(body, content_type, mapping) -> list[Neutral]`. To add one, copy one.

An adapter is pure: bytes and the source's mapping in, neutral facts out, BodyRefused when it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from monitoring.signals.adapters import alertmanager, native
from monitoring.signals.errors import BodyRefused, ItemError
from monitoring.signals.neutral import Neutral

Adapter = Callable[[bytes, str, Mapping[str, Any]], list[Neutral]]

_adapters: dict[str, Adapter] = {}


def register(kind: str, adapter: Adapter) -> None:
    """Make a format known under the name that a Source carries."""
    _adapters[kind] = adapter


def kinds() -> list[str]:
    """Every format that can be received."""
    return sorted(_adapters)


def parse(kind: str, body: bytes, content_type: str, mapping: Mapping[str, Any]) -> list[Neutral]:
    """The facts in a body of this format; raises BodyRefused."""
    adapter = _adapters.get(kind)
    if adapter is None:
        problem = _("Its format “%(kind)s” has no adapter on this installation.") % {"kind": kind}
        raise BodyRefused([ItemError(None, "source", problem)])
    return adapter(body, content_type, mapping)


register("native", native.parse)
register("alertmanager", alertmanager.parse)
