"""Every right there is, by name; each slice registers its own when the apps are ready."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from stewardship.access.errors import UnknownRight

GRAMMAR = re.compile(r"^[a-z_]+:[a-z_]+:[a-z_]+$")

STRONG = re.compile(r":(configure|manage|issue|assign|assign_second_line)$|:decision:make$|:waiver:(grant|end)$")

_rights: dict[str, type[StrEnum]] = {}
_explanations: list[Callable[[str], Iterable[str]]] = []


def register(rights: type[StrEnum]) -> None:
    """Make the rights of one enum known; raises ValueError for a name that is not `slice:subject:verb` or taken by another enum."""
    for right in rights:
        if not GRAMMAR.match(right.value):
            raise ValueError(f"{right.value!r} is not of the form slice:subject:verb.")
        known = _rights.get(right.value)
        if known is not None and known.__qualname__ != rights.__qualname__:
            raise ValueError(f"{right.value!r} is registered by {known.__name__} and by {rights.__name__}.")
        _rights[right.value] = rights


def all_rights() -> list[str]:
    """Every registered right, in alphabetical order."""
    return sorted(_rights)


def is_defined(right: str) -> bool:
    """Whether a slice has registered this name."""
    return str(right) in _rights


def check(right: str) -> str:
    """The name itself; raises UnknownRight when no slice has registered it."""
    if str(right) not in _rights:
        raise UnknownRight(f"There is no right {str(right)!r}.")
    return str(right)


def explain_with(explanation: Callable[[str], Iterable[str]]) -> None:
    """Register who knows which roles carry a right (stewardship.roles does)."""
    _explanations.append(explanation)


def who_can(right: str) -> list[str]:
    """Names of the roles that carry this right, for a refusal that tells people whom to ask."""
    return sorted({name for explanation in _explanations for name in explanation(str(right))})


def is_strong(right: str) -> bool:
    """Whether whoever holds it may change the rules, appoint people or sign, and so needs a second factor."""
    return bool(STRONG.search(right))
