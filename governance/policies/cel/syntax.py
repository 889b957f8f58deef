"""The parsed expression. Chains are flat, so the depth of the tree is the nesting that the author wrote."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Literal:
    """A number, a text, true, false or null."""

    value: Decimal | str | bool | None
    start: int
    end: int


@dataclass(frozen=True)
class ListOf:
    """A list written out: [1, 2, 3]."""

    items: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Path:
    """A fact and the way into it: evidence.metrics["recall"].value. `steps` are field names or index expressions."""

    root: Node | str
    steps: tuple[Node | str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Call:
    """has(path) or size(value)."""

    function: str
    argument: Node
    start: int
    end: int


@dataclass(frozen=True)
class Negation:
    """!value, or -value."""

    mark: str
    operand: Node
    start: int
    end: int


@dataclass(frozen=True)
class Arithmetic:
    """first, then (mark, operand) from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    start: int
    end: int


@dataclass(frozen=True)
class Comparison:
    """left mark right; mark is one of == != < <= > >= in."""

    mark: str
    left: Node
    right: Node
    start: int
    end: int


@dataclass(frozen=True)
class Junction:
    """All of (&&) or any of (||) several conditions."""

    mark: str
    parts: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Choice:
    """condition ? then : otherwise."""

    condition: Node
    then: Node
    otherwise: Node
    start: int
    end: int


Node = Literal | ListOf | Path | Call | Negation | Arithmetic | Comparison | Junction | Choice
