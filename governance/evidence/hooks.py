"""What happens elsewhere while evidence is attached. Slices to the right register here; nothing to the right is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stewardship.inventory.models import ModelVersion

Around = Callable[["ModelVersion"], AbstractContextManager[None]]

_around: list[Around] = []


def register(around: Around) -> None:
    """`around(version)` is entered inside the transaction before the version is locked, and left once the evidence is there."""
    _around.append(around)


@contextmanager
def attaching(version: ModelVersion) -> Iterator[None]:
    """Let everyone prepare for, and then answer to, other evidence of this version."""
    with ExitStack() as stack:
        for around in _around:
            stack.enter_context(around(version))
        yield
