"""What a person reads goes through gettext; what is kept speaks one language, whoever causes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_layout import sources

# Marked or translated: what is given to one of these is no plain sentence any more. Others may be called by another name.
MARKS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}

# Beside the domain's errors, and read in a form or in the answer to a body: which argument is the sentence.
ALSO_READ = {"ValidationError": 0, "ItemError": 2, "Unplaced": 1, "Unusable": 0, "BadWeek": 0}

# An argument that is no sentence: the place of what is wrong, or what the caller has translated before.
NO_SENTENCE = {"field", "code", "source", "offset", "within", "index"}

# error → why its sentence stays English.
PLAIN_ERRORS = {
    "HistoryBypassed": "a mistake in the code, told to whoever writes it",
    "NoActor": "a mistake in the code, told to whoever writes it",
    "BackdatingRefused": "a mistake in the code, told to whoever writes it",
    "UnknownSubject": "a slice that was not registered, told to whoever writes it",
    "UnknownCause": "a slice that was not registered, told to whoever writes it",
}

# module or folder → why what it says stays English.
PLAIN_MODULES = {
    "stewardship/management/": "read on a console, like the rest of the command",
}


def domain_errors() -> set[str]:
    """DomainError and everything that comes from it, by name."""
    bases: dict[str, set[str]] = {}
    for _path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(_name(base) for base in node.bases)
    found = {"DomainError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def marks_of(tree: ast.Module) -> set[str]:
    """What the marks are called in this module."""
    imported = [
        alias
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    ]
    return {alias.asname or alias.name for alias in imported if alias.name in MARKS}


def plain(node: ast.expr, tree: ast.Module, marks: set[str]) -> Iterator[ast.expr]:
    """The literal sentences that this expression can give without a mark; a name is followed to what the module assigns to it."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and re.search(r"[A-Za-z]", node.value):
            yield node
    elif isinstance(node, ast.JoinedStr):
        if any(isinstance(part, ast.Constant) and re.search(r"[A-Za-z]", str(part.value)) for part in node.values):
            yield node
    elif isinstance(node, ast.IfExp):
        yield from plain(node.body, tree, marks)
        yield from plain(node.orelse, tree, marks)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from plain(value, tree, marks)
    elif isinstance(node, ast.BinOp):
        yield from plain(node.left, tree, marks)
        if isinstance(node.op, ast.Add):
            yield from plain(node.right, tree, marks)
    elif isinstance(node, ast.List | ast.Tuple):
        for value in node.elts:
            yield from plain(value, tree, marks)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from plain(value, tree, marks)
    elif isinstance(node, ast.Call):
        # `str(…)` and `"…".format(…)` change nothing; what any other function gives is its own affair.
        if _name(node.func) == "str":
            yield from plain(node.args[0], tree, marks)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "strip"):
            yield from plain(node.func.value, tree, marks)
    elif isinstance(node, ast.Name):
        for assigned in ast.walk(tree):
            if isinstance(assigned, ast.Assign) and any(_name(target) == node.id for target in assigned.targets):
                if not isinstance(assigned.value, ast.Name):
                    yield from plain(assigned.value, tree, marks)


def unmarked(path: str, tree: ast.Module, errors: set[str]) -> list[str]:
    """Where this module makes an error whose message or remedy nobody can translate."""
    marks = marks_of(tree)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _name(node.func) not in errors:
            continue
        place = ALSO_READ.get(_name(node.func))
        said = node.args if place is None else node.args[place : place + 1]
        for value in [*said, *(keyword.value for keyword in node.keywords if keyword.arg not in NO_SENTENCE)]:
            found += [f"{path}:{bare.lineno} {ast.unparse(bare)}" for bare in plain(value, tree, marks)]
    return found


def test_every_refusal_can_be_translated() -> None:
    errors = (domain_errors() | set(ALSO_READ)) - set(PLAIN_ERRORS)
    assert [where for path, tree in sources() if not path.startswith(tuple(PLAIN_MODULES)) for where in unmarked(path, tree, errors)] == []


def test_what_stays_english_still_exists() -> None:
    assert set(PLAIN_ERRORS) <= domain_errors()
    assert all((Path(__file__).parents[1] / place).exists() for place in PLAIN_MODULES)


@pytest.mark.parametrize(
    "said",
    [
        'raise Invalid("No.")',
        'raise Invalid(f"Not {name}.")',
        'raise Invalid(_("No."), remedy="Do this.")',
        'raise errors.Invalid(_("No.") if name else "Nor that.")',
        'raise Invalid("No %(name)s." % {"name": _("No.")})',
        'text = f"Not {name}."\nraise Invalid(text)',
        'raise ValidationError({"name": "No."})',
    ],
)
def test_a_plain_sentence_is_found(said: str) -> None:
    tree = ast.parse(f"from django.utils.translation import gettext as _\n{said}")
    assert len(unmarked("x.py", tree, {"Invalid", "ValidationError"})) == 1


@pytest.mark.parametrize(
    "said",
    [
        'raise Invalid(_("Not %(name)s.") % {"name": "x"}, field="name", remedy=_(REMEDY))',
        'raise Invalid(f"{place}: {error.message}", field=f"rows[{place}]")',
        'text = _("No.")\nraise Invalid(text)',
        'raise Invalid(" ".join(problems))',
    ],
)
def test_a_marked_sentence_is_not(said: str) -> None:
    tree = ast.parse(f"from django.utils.translation import gettext as _\n{said}")
    assert unmarked("x.py", tree, {"Invalid"}) == []
