"""Kleene's three-valued logic over a tree, writing down every condition on the way.

Both sides of && and || are always evaluated: the answer is the same, and the trace then shows every condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from governance.policies.cel.syntax import Arithmetic, Call, Choice, Comparison, Junction, ListOf, Literal, Negation, Node, Path
from governance.policies.cel.values import Unknown, Value, contains, equal, kind_of, shown, value_of

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"


@dataclass(frozen=True)
class Clause:
    """One condition: as written, how it came out, what was found and what it was held against."""

    expression: str
    outcome: str
    actual: Any
    bound: Any
    reason: str = ""

    def as_document(self) -> dict[str, Any]:
        """For a trace that is stored; reason only where there is one."""
        document = {"expression": self.expression, "outcome": self.outcome, "actual": self.actual, "bound": self.bound}
        return {**document, "reason": self.reason} if self.reason else document


class Evaluator:
    """One evaluation of one expression; `trace` fills as it goes."""

    def __init__(self, source: str, facts: Mapping[str, Any]) -> None:
        self.source = source
        self.facts = facts
        self.trace: list[Clause] = []

    def judge(self, node: Node, *, negated: bool = False) -> Value:
        """The value of a condition, with its clauses traced; under a negation a clause is traced as its opposite."""
        if isinstance(node, Junction):
            return self._junction(node, negated)
        if isinstance(node, Negation) and node.mark == "!":
            return _opposite(_truth(self.judge(node.operand, negated=not negated), "!"))
        if isinstance(node, Choice):
            return self._choice(node, negated)
        if isinstance(node, Comparison):
            value, actual, bound = self._compare(node)
        else:
            value = self.value(node)
            actual, bound = value, True
        self._write(node, value, actual, bound, negated)
        return value

    def value(self, node: Node) -> Value:
        """The value of anything that is not traced by itself."""
        match node:
            case Literal():
                return value_of(node.value, "null")
            case ListOf():
                return [self.value(item) for item in node.items]
            case Path():
                return self._path(node)
            case Call():
                return self._has(node.argument) if node.function == "has" else _size(self.value(node.argument))
            case Arithmetic():
                return self._arithmetic(node)
            case Comparison():
                return self._compare(node)[0]
            case Negation(mark="-"):
                operand = _number(self.value(node.operand), "-")
                return operand if isinstance(operand, Unknown) else -operand
            case Negation():
                return _opposite(_truth(self.value(node.operand), "!"))
            case Choice():
                return self._plain_choice(node)
            case Junction():
                return _combine(node.mark, [self.value(part) for part in node.parts])

    def _junction(self, node: Junction, negated: bool) -> Value:
        return _combine(node.mark, [self.judge(part, negated=negated) for part in node.parts])

    def _choice(self, node: Choice, negated: bool) -> Value:
        condition = _truth(self.judge(node.condition), "?")
        if isinstance(condition, Unknown):
            return condition
        return self.judge(node.then if condition else node.otherwise, negated=negated)

    def _plain_choice(self, node: Choice) -> Value:
        condition = _truth(self.value(node.condition), "?")
        if isinstance(condition, Unknown):
            return condition
        return self.value(node.then if condition else node.otherwise)

    def _compare(self, node: Comparison) -> tuple[Value, Value, Value]:
        left, right = self.value(node.left), self.value(node.right)
        # A literal on the left is the bound: 0.9 <= recall reads as recall >= 0.9.
        actual, bound = (right, left) if isinstance(node.left, Literal) and node.mark != "in" else (left, right)
        return _compared(node.mark, left, right), actual, bound

    def _path(self, node: Path) -> Value:
        if isinstance(node.root, str):
            current, name = value_of(self.facts.get(node.root), node.root), node.root
        else:
            current, name = self.value(node.root), self._text(node.root)
        for step in node.steps:
            if isinstance(current, Unknown):
                return current
            key = step if isinstance(step, str) else self.value(step)
            current, name = _step(current, key, name)
        return current

    def _has(self, node: Node) -> bool:
        return not isinstance(self.value(node), Unknown)

    def _arithmetic(self, node: Arithmetic) -> Value:
        total = self.value(node.first)
        for mark, operand in node.rest:
            total = _calculate(mark, total, self.value(operand))
        return total

    def _text(self, node: Node) -> str:
        return " ".join(self.source[node.start : node.end].split())

    def _write(self, node: Node, value: Value, actual: Value, bound: Value, negated: bool) -> None:
        text = self._text(node)
        truth = _truth(value, "a condition")
        reason = truth.reason if isinstance(truth, Unknown) else ""
        outcome = UNKNOWN if isinstance(truth, Unknown) else MET if truth != negated else NOT_MET
        if negated:
            text = f"!{text}" if not isinstance(node, Comparison) or text.startswith("(") else f"!({text})"
        self.trace.append(Clause(text, outcome, shown(actual), shown(bound) if isinstance(node, Comparison) else not negated, reason))


def _compared(mark: str, left: Value, right: Value) -> bool | Unknown:
    if mark == "in":
        return contains(left, right)
    if mark in ("==", "!="):
        same = equal(left, right)
        return same if isinstance(same, Unknown) or mark == "==" else not same
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    numbers = isinstance(left, Fraction) and isinstance(right, Fraction)
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        return Unknown(f"{kind_of(left)} and {kind_of(right)} have no order")
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[mark])


def _combine(mark: str, values: list[Value]) -> bool | Unknown:
    decisive = mark == "||"  # one true decides an "or", one false decides an "and"
    truths = [_truth(value, mark) for value in values]
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if isinstance(truth, Unknown)), not decisive)


def _truth(value: Value, where: str) -> bool | Unknown:
    if isinstance(value, bool | Unknown):
        return value
    return Unknown(f"{where} needs yes or no, not {kind_of(value)}")


def _opposite(value: bool | Unknown) -> bool | Unknown:
    return value if isinstance(value, Unknown) else not value


def _number(value: Value, mark: str) -> Fraction | Unknown:
    if isinstance(value, Fraction | Unknown):
        return value
    return Unknown(f"{mark} needs numbers, not {kind_of(value)}")


def _calculate(mark: str, left: Value, right: Value) -> Fraction | Unknown:
    one, other = _number(left, mark), _number(right, mark)
    if isinstance(one, Unknown):
        return one
    if isinstance(other, Unknown):
        return other
    if mark in ("/", "%") and other == 0:
        return Unknown("division by zero")
    match mark:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return one / other
        case _:
            # The remainder has the sign of the dividend, as in CEL and C.
            return one - other * int(one / other)


def _size(value: Value) -> Fraction | Unknown:
    if isinstance(value, Unknown):
        return value
    return Fraction(len(value)) if isinstance(value, str | list | dict) else Unknown(f"size() needs a text or a list, not {kind_of(value)}")


def _step(current: Value, key: Value, name: str) -> tuple[Value, str]:
    if isinstance(key, Unknown):
        return key, name
    if isinstance(current, dict) and isinstance(key, str):
        name = f"{name}.{key}"
        return value_of(current.get(key), name), name
    if isinstance(current, list) and isinstance(key, Fraction):
        name = f"{name}[{shown(key)}]"
        # A negative index would silently read from the end.
        found = current[int(key)] if key.denominator == 1 and 0 <= key < len(current) else None
        return value_of(found, name), name
    return Unknown(f"{name} is {kind_of(current)}, which has no {shown(key)!r}"), name
