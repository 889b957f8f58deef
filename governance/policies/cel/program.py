"""A compiled expression: what it is evaluated against, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from governance.policies.cel.evaluate import Clause as Clause
from governance.policies.cel.evaluate import Evaluator
from governance.policies.cel.parser import parse
from governance.policies.cel.syntax import Node, Path
from governance.policies.cel.values import Unknown, kind_of


@dataclass(frozen=True)
class Outcome:
    """True, False, or None where the facts do not tell; `reason` says why not; `trace` has one clause per condition."""

    value: bool | None
    reason: str
    trace: list[Clause]


@dataclass(frozen=True)
class Program:
    """An expression that has been read; evaluating it changes nothing and never raises."""

    source: str
    tree: Node

    def evaluate(self, facts: Mapping[str, Any]) -> Outcome:
        """The answer for one facts document (JSON types and Decimal)."""
        evaluator = Evaluator(self.source, facts)
        value = evaluator.judge(self.tree)
        if isinstance(value, Unknown):
            return Outcome(None, value.reason, evaluator.trace)
        if not isinstance(value, bool):
            return Outcome(None, f"the expression gives {kind_of(value)} instead of yes or no", evaluator.trace)
        return Outcome(value, "", evaluator.trace)

    def paths(self) -> list[str]:
        """Each fact that the expression reads, as written and in order."""
        return list(dict.fromkeys(self.source[path.start : path.end].strip("() ") for path in _fact_paths(self.tree)))

    def roots(self) -> dict[str, int]:
        """The name each path begins with, and the offset where it was first written."""
        found: dict[str, int] = {}
        for path in _fact_paths(self.tree):
            found.setdefault(str(path.root), path.start)
        return found


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Program:
    """Read an expression; raises ExpressionError (an Invalid) with the column and a hint."""
    return Program(text, parse(text))


def _fact_paths(node: Node) -> list[Path]:
    found: list[Path] = []
    if isinstance(node, Path) and isinstance(node.root, str):
        found.append(node)
    for child in _children(node):
        found.extend(_fact_paths(child))
    return found


def _children(node: Node) -> list[Node]:
    children: list[Node] = []
    for value in vars(node).values():
        for item in value if isinstance(value, tuple) else (value,):
            candidate = item[1] if isinstance(item, tuple) else item
            if isinstance(candidate, Node):
                children.append(candidate)
    return children
