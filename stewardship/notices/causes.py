"""What notices are about: each kind says whether a waiting notice is still wanted, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from stewardship.notices.errors import UnknownCause


@dataclass(frozen=True)
class Cause:
    """One kind of thing people are told about. Both callables are asked late, with the id only."""

    kind: str
    still_wanted: Callable[[UUID], bool]
    link: Callable[[UUID], str]


_causes: dict[str, Cause] = {}


def always(cause_id: UUID) -> bool:
    """For news that stays worth reading whatever happens to its subject."""
    return True


def register(kind: str, *, still_wanted: Callable[[UUID], bool], link: Callable[[UUID], str]) -> None:
    """Declare a kind of cause; called in AppConfig.ready(). `link` gives a path such as /changes/…/."""
    _causes[kind] = Cause(kind=kind, still_wanted=still_wanted, link=link)


def find(kind: str) -> Cause:
    """The registered cause; raises UnknownCause."""
    try:
        return _causes[kind]
    except KeyError:
        raise UnknownCause(
            f"Nothing called {kind!r} is registered as a cause of notices.",
            field="cause_kind",
            remedy="Register it with stewardship.notices.causes.register() in AppConfig.ready().",
        ) from None
