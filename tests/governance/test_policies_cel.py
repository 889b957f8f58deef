"""The expression language: answers, "not known", traces, and what an author is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from governance.policies.cel import ExpressionError, compile_expression

FACTS: dict[str, Any] = {
    "change": {"kind": "deployment", "note": None},
    "model": {"tier": 2, "tags": ["clinical", "eu"], "name": "tumour-risk"},
    "evidence": {"metrics": {"recall": {"value": Decimal("0.93"), "low": Decimal("0.89"), "n": 64}, "odd-name": {"value": 1}}},
    "yes": True,
    "no": False,
    "float": 0.5,
    "huge": Decimal("1E+999999999"),
    "long": 10**70,
    "nan": Decimal("NaN"),
    "lists": [[1], [2]],
}


def answer(expression: str) -> bool | None:
    return compile_expression(expression).evaluate(FACTS).value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("model.tier == 2", True),
        ("model.tier != 2", False),
        ("model.tier <= 2 && evidence.metrics.recall.value >= 0.9", True),
        ("evidence.metrics['recall'].low > 0.9 || yes", True),
        ("evidence.metrics['odd-name'].value == 1.0", True),
        ("'eu' in model.tags", True),
        ("'us' in model.tags", False),
        ("!('us' in model.tags)", True),
        ("model.tier in [1, 2]", True),
        ("'tier' in model", True),
        ("7 / 2 == 3.5", True),
        ("1 / 3 * 3 == 1", True),
        ("-7 % 3 == -1", True),
        ("0.1 + 0.2 == 0.3", True),
        ("2 - 3 - 4 == -5", True),
        ("2 + 3 * 4 == 14", True),
        ("-(2 + 1) == - 3", True),
        ("1e3 == 1000 && .5 == 0.5", True),
        ("size(model.tags) == 2 && size('äö') == 2 && size(model) == 3", True),
        ("model.tags[1] == 'eu'", True),
        ("[1, 2][1] == 2", True),
        ("[1, 2] == [1.0, 2]", True),
        ("[1] == [1, 2]", False),
        ("[1, 3] == [1, 2]", False),
        ("'a' < 'b'", True),
        ("yes ? model.tier == 2 : false", True),
        ("no ? true : no", False),
        ("(yes ? 1 : 2) == 1", True),
        ("(yes && !no) == true", True),
        ("(!no) == yes", True),
        ("'it\\'s \\\\ \\n \\\"' == \"it's \\\\ \\n \\\"\"", True),
        ("has(evidence.metrics.recall)", True),
        ("has(evidence.metrics.precision)", False),
        ("has(nothing.at.all)", False),
        ("has(change.note)", False),
        ("has(model.tier.deeper)", False),
        ("true && (false || true)", True),
    ],
)
def test_what_is_known_is_answered(expression: str, expected: bool) -> None:
    assert answer(expression) is expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("missing.fact == 1", "no value for missing"),
        ("model.owner == 'x'", "no value for model.owner"),
        ("change.note != 'x'", "no value for change.note"),
        ("!yess", "no value for yess"),
        ("model.tags[7] == 'eu'", "no value for model.tags[7]"),
        ("model.tags[-1] == 'eu'", "no value for model.tags[-1]"),
        ("model.tags[0.5] == 'eu'", "no value for model.tags[0.5]"),
        ("model.tier < 'a'", "no order"),
        ("model.tier == '2'", "cannot be compared"),
        ("model.tier != '2'", "cannot be compared"),
        ("model.tier in ['1', '2']", "cannot be compared"),
        ("model.tier in [1, missing.x]", "no value for missing"),
        ("missing.x in [1]", "no value for missing"),
        ("1 in missing.x", "no value for missing"),
        ("1 in model", "searched by name"),
        ("1 in 'text'", "needs a list"),
        ("model == model", "groups of facts"),
        ("[1, missing.x] == [1, 2]", "no value for missing"),
        ("lists == lists", "lists inside lists"),
        ("1 / 0 == 1", "division by zero"),
        ("1 % 0 == 1", "division by zero"),
        ("1 + 'a' == 1", "needs numbers"),
        ("'a' + 1 == 1", "needs numbers"),
        ("-model.name == 1", "needs numbers"),
        ("-missing.x == 1", "no value for missing"),
        ("1 + missing.x == 1", "no value for missing"),
        ("missing.x + 1 == 1", "no value for missing"),
        ("model.tier && yes", "needs yes or no"),
        ("model.tier ? yes : no", "needs yes or no"),
        ("(missing.x ? 1 : 2) == 1", "no value for missing"),
        ("missing.x ? true : true", "no value for missing"),
        ("!model.tier", "needs yes or no"),
        ("model.tier", "instead of yes or no"),
        ("model.name.first == 'x'", "has no 'first'"),
        ("model[missing.x] == 1", "no value for missing"),
        ("size(missing.x) == 1", "no value for missing"),
        ("size(model.tier) == 1", "needs a text or a list"),
        ("null", "no value for null"),
        ("float < 1", "float"),
        ("huge > 1", "digits"),
        ("long > 1", "digits"),
        ("nan > 1", "not a number"),
    ],
)
def test_what_is_not_known_is_never_a_yes(expression: str, reason: str) -> None:
    outcome = compile_expression(expression).evaluate(FACTS)
    assert outcome.value is None
    assert reason in outcome.reason


@pytest.mark.parametrize("left", ["true", "false", "missing.x"])
@pytest.mark.parametrize("right", ["true", "false", "missing.x"])
def test_and_or_not_follow_kleene(left: str, right: str) -> None:
    values = {"true": True, "false": False, "missing.x": None}
    one, other = values[left], values[right]
    both = False if False in (one, other) else None if None in (one, other) else True
    either = True if True in (one, other) else None if None in (one, other) else False
    assert answer(f"{left} && {right}") is both
    assert answer(f"{left} || {right}") is either
    assert answer(f"!{left}") is (None if one is None else not one)


@pytest.mark.parametrize(
    ("expression", "message", "column"),
    [
        ("risk.tier and true", "Write && instead of 'and' at column 11.", 11),
        ("a OR b", "Write || instead of 'OR' at column 3.", 3),
        ("not a", "Write ! instead of 'not' at column 1.", 1),
        ("a == True", "Write true instead of 'True' at column 6.", 6),
        ("x = 3", "Unexpected '=' at column 3. Write == to compare.", 3),
        ("a & b", "Write && instead of & at column 3.", 3),
        ("a | b", "Write || instead of | at column 3.", 3),
        ("a ≥ 1", "Write >= instead of ≥ at column 3.", 3),
        ("a <> 1", "Write != instead of <> at column 3.", 3),
        ("a === 1", "Write == instead of === at column 3.", 3),
        ("a == “x”", 'Write " instead of “ at column 6.', 6),
        ("1 < a < 3", "Comparisons cannot be chained at column 7.", 7),
        ("a == null", "Nothing can be compared with null at column 6.", 6),
        ("(a", "')' is expected, but the expression ends at column 3.", 3),
        ("a)", "')' closes nothing at column 2.", 2),
        ("a b", "An operator is expected before 'b' at column 3.", 3),
        ("[1, 2", "']' is expected, but the expression ends at column 6.", 6),
        ("a ? b", "':' is expected, but the expression ends at column 6.", 6),
        ("a +", "The expression ends where a value is expected, at column 4.", 4),
        ("", "The expression ends where a value is expected, at column 1.", 1),
        ("a + * b", "A value is expected instead of '*' at column 5.", 5),
        ("in [1]", "A value is expected instead of 'in' at column 1.", 1),
        ("sum(a)", "There is no function 'sum' at column 1.", 1),
        ("a.startsWith('b')", "There are no methods such as .startsWith() at column 13.", 13),
        ("has(1)", "has() takes the path of a fact, for example has(evidence.metrics.recall) at column 5.", 5),
        ("a.'b'", "A field name is expected", 3),
        ("'abc", "The text that begins at column 1 does not end. Close it with '.", 1),
        ('"abc', 'The text that begins at column 1 does not end. Close it with ".', 1),
        ("'a\\qb'", "no escape", 3),
        ("12abc == 1", "neither a number nor a name", 1),
        ("1" * 41, "more than 40 digits", 1),
        ("a # b", "Unexpected '#' at column 3.", 3),
    ],
)
def test_an_author_is_told_what_and_where(expression: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression(expression)
    assert message in str(refused.value)
    assert refused.value.column == column
    line, caret = refused.value.caret().split("\n")
    assert line == expression
    assert caret.index("^") == column - 1
    assert refused.value.field == "expression"


def test_the_caret_stands_below_the_line_that_is_wrong() -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression("yes &&\n  x = 3 &&\nno")
    assert refused.value.caret() == "  x = 3 &&\n    ^"


@pytest.mark.parametrize("opening", ["(", "!", "-", "[", "size(", "true ? true : ", "a["])
def test_nesting_has_a_limit(opening: str) -> None:
    with pytest.raises(ExpressionError, match="nested more than 40 deep"):
        compile_expression(opening * 60 + "true")


def test_length_has_a_limit_and_long_chains_do_not_recurse() -> None:
    assert compile_expression(" && ".join(["true"] * 250)).evaluate({}).value is True
    assert compile_expression("1" + "+1" * 900 + " == 901").evaluate({}).value is True
    with pytest.raises(ExpressionError, match="2001 characters; 2000 are allowed"):
        compile_expression("t" * 2001)


def test_the_trace_has_every_condition_with_what_was_found() -> None:
    outcome = compile_expression("model.tier <= 1 && 0.9 <= evidence.metrics.recall.value && missing.x > 3").evaluate(FACTS)
    assert outcome.value is False
    assert [clause.as_document() for clause in outcome.trace] == [
        {"expression": "model.tier <= 1", "outcome": "not_met", "actual": 2, "bound": 1},
        {"expression": "0.9 <= evidence.metrics.recall.value", "outcome": "met", "actual": Decimal("0.93"), "bound": Decimal("0.9")},
        {"expression": "missing.x > 3", "outcome": "unknown", "actual": None, "bound": 3, "reason": "no value for missing"},
    ]


def test_under_a_negation_a_clause_is_traced_as_what_is_demanded() -> None:
    trace = compile_expression("!(model.tier > 1 || no) && !has(model.name) && !(yes)").evaluate(FACTS).trace
    assert [(clause.expression, clause.outcome) for clause in trace] == [
        ("!(model.tier > 1)", "not_met"),
        ("!no", "met"),
        ("!has(model.name)", "not_met"),
        ("!(yes)", "not_met"),
    ]


def test_only_the_chosen_branch_is_traced() -> None:
    trace = compile_expression("yes ? model.tier == 2 : model.tier == 3").evaluate(FACTS).trace
    assert [clause.expression for clause in trace] == ["yes", "model.tier == 2"]


def test_long_values_are_shortened_in_the_trace() -> None:
    facts = {"a": ["x"] * 30, "b": "y" * 300, "c": {"d": 1}, "e": [[1]]}
    trace = compile_expression("'x' in a && b != 'z' && c == c && e == e && (1/3) > 0").evaluate(facts).trace
    assert trace[0].bound == ["x"] * 20 + ["…"]
    assert trace[1].actual == "y" * 200 + "…"
    assert trace[2].actual == "1 facts"
    assert trace[3].actual == ["1 items"]
    assert trace[4].actual == Decimal("0.333333333333333")


def test_a_program_names_the_facts_it_reads() -> None:
    program = compile_expression("(model.tier) < 3 && [evidence.kinds][0] == evidence.kinds && a[b.c] && model.tier > 0")
    assert program.paths() == ["model.tier", "evidence.kinds", "a[b.c]", "b.c"]
    assert program.roots() == {"model": 0, "evidence": 21, "a": 61, "b": 63}
