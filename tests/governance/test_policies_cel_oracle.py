"""Our evaluator against an independent implementation of CEL (the Rust one), on generated expressions and facts.

Only what both define is generated: our "not known" must be the other's error, and every answer of ours the other's answer.
"""

from __future__ import annotations

from typing import Any

import cel
from hypothesis import given
from hypothesis import strategies as st

from governance.policies.cel import compile_expression

NUMBERS = st.integers(-9, 9)
TEXTS = st.sampled_from(["", "a", "b", "ab"])

FACTS = st.fixed_dictionaries(
    {
        "n": st.fixed_dictionaries({"a": NUMBERS, "b": NUMBERS}, optional={"gone": NUMBERS}),
        "t": st.fixed_dictionaries({"a": TEXTS}, optional={"gone": TEXTS}),
        "l": st.fixed_dictionaries({"a": st.lists(NUMBERS, max_size=3), "b": st.lists(TEXTS, max_size=3)}),
        "p": st.fixed_dictionaries({"yes": st.just(True), "no": st.just(False)}, optional={"gone": st.booleans()}),
    }
)

number_leaf = st.one_of(
    NUMBERS.map(lambda n: f"({n})" if n < 0 else str(n)), st.sampled_from(["n.a", "n.b", "n.gone", 'n["a"]', "l.a[0]", "l.a[1]"])
)
numbers = st.recursive(
    number_leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "%"]), inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
        inner.map(lambda part: f"-({part})"),
        st.sampled_from(["size(l.a)", "size(t.a)", "size(l.b)"]),
    ),
    max_leaves=5,
)
texts = st.one_of(TEXTS.map(lambda text: f'"{text}"'), st.sampled_from(["t.a", "t.gone", "l.b[0]"]))
comparison = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
condition_leaf = st.one_of(
    st.tuples(numbers, comparison, numbers).map(" ".join),
    st.tuples(texts, comparison, texts).map(" ".join),
    numbers.map(lambda part: f"{part} in l.a"),
    texts.map(lambda part: f"{part} in l.b"),
    st.lists(NUMBERS, max_size=3).flatmap(lambda items: numbers.map(lambda part: f"{part} in {items}")),
    st.sampled_from(["has(n.gone)", "has(t.a)", "has(p.gone)", "p.yes", "p.no", "p.gone", "true", "false", "l.a == [1, 2]"]),
)
conditions = st.recursive(
    condition_leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda part: f"({' '.join(part)})"
        ),
        inner.map(lambda part: f"!({part})"),
        st.tuples(inner, inner, inner).map(lambda part: f"({part[0]} ? {part[1]} : {part[2]})"),
    ),
    max_leaves=8,
)


def _other(expression: str, facts: dict[str, Any]) -> bool | None:
    try:
        answer = cel.evaluate(expression, facts)
    except (KeyError, IndexError, ZeroDivisionError, TypeError, ValueError, OverflowError):
        return None
    assert isinstance(answer, bool)
    return answer


@given(expression=conditions, facts=FACTS)
def test_both_give_the_same_answer(expression: str, facts: dict[str, Any]) -> None:
    if len(expression) > 1_500:
        return
    assert compile_expression(expression).evaluate(facts).value is _other(expression, facts), expression


@given(expression=conditions, facts=FACTS)
def test_the_trace_agrees_with_the_answer(expression: str, facts: dict[str, Any]) -> None:
    outcome = compile_expression(f"({expression}) && p.yes").evaluate(facts)
    assert outcome.trace
    if all(clause.outcome == "met" for clause in outcome.trace) and "?" not in expression:
        assert outcome.value is True
    assert bool(outcome.reason) is (outcome.value is None)
