"""What escalations are about: each kind has a name, a page, and says whether anybody still needs to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise

from stewardship.escalation.errors import UnknownSubject


@dataclass(frozen=True)
class Subject:
    """One kind of thing people are called about. The callables are asked late, with the id only."""

    kind: str
    label: str | Promise
    link: Callable[[UUID], str]
    wanted: Callable[[UUID], bool]


_subjects: dict[str, Subject] = {}


def register(kind: str, *, label: str | Promise, link: Callable[[UUID], str], wanted: Callable[[UUID], bool]) -> None:
    """Declare a kind of subject; called in AppConfig.ready(). `label` may be lazy; `link` gives a path."""
    _subjects[kind] = Subject(kind=kind, label=label, link=link, wanted=wanted)


def find(kind: str) -> Subject:
    """The registered subject; raises UnknownSubject."""
    try:
        return _subjects[kind]
    except KeyError:
        raise UnknownSubject(
            f"Nothing called {kind!r} is registered as a subject of escalations.",
            field="subject_kind",
            remedy="Register it with stewardship.escalation.subjects.register() in AppConfig.ready().",
        ) from None


def choices() -> list[tuple[str, str]]:
    """Every registered kind with its label, for configuration forms."""
    return [(kind, str(subject.label)) for kind, subject in sorted(_subjects.items())]
