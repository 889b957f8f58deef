"""The rights of this slice."""

from __future__ import annotations

from enum import StrEnum


class SourceRight(StrEnum):
    """Seeing and configuring where signals come from, quarantine included."""

    VIEW = "signals:source:view"
    CONFIGURE = "signals:source:configure"


class SeriesRight(StrEnum):
    """Seeing what was measured."""

    VIEW = "signals:series:view"


class SignalRight(StrEnum):
    """Sending facts about a model."""

    SEND = "signals:signal:send"
