"""Who fills the blocks that the registry knows; higher slices register theirs when the apps are ready."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from stewardship.inventory.models import ModelVersion, RegisteredModel


class Provider(Protocol):
    """What it knows as a document (no floats, no names of people: ids), or None. A block may ask for one field: provider.field."""

    def __call__(self, model: RegisteredModel, version: ModelVersion | None, at: datetime) -> Any: ...


_providers: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """`provider` fills every block that names it."""
    _providers[name] = provider


def names() -> list[str]:
    """Every provider there is."""
    return sorted(_providers)


def is_known(name: str) -> bool:
    """Whether a block may name this: provider, or provider.field."""
    return name.partition(".")[0] in _providers


class Filling:
    """The providers' answers for one model at one instant, each asked once."""

    def __init__(self, model: RegisteredModel, version: ModelVersion | None, at: datetime) -> None:
        self.model, self.version, self.at = model, version, at
        self._documents: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """What provider (or provider.field) says; None when it does not know, or is gone from this installation."""
        provider, _, field = name.partition(".")
        if provider not in self._documents:
            known = _providers.get(provider)
            self._documents[provider] = known(self.model, self.version, self.at) if known else None
        document = self._documents[provider]
        return (document.get(field) if isinstance(document, dict) else None) if field else document
