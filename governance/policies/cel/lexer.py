"""Text into tokens, with a hint wherever another language's spelling was meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NoReturn

from django.utils.translation import gettext as _

from governance.policies.cel.errors import ExpressionError

LONGEST = 2_000
MOST_DIGITS = 40


class Kind(Enum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True)
class Token:
    """One token; `text` is as written, `value` what a literal means."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Decimal | str | None = None


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])
    """,
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}

# What people write who come from Python, SQL, a spreadsheet or a word processor: the first that fits is named.
_FOREIGN_MARKS = (
    ("===", "=="),
    ("<>", "!="),
    ("=<", "<="),
    ("=>", ">="),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("“", '"'),
    ("”", '"'),
    ("„", '"'),
    ("‘", "'"),
    ("’", "'"),
    ("×", "*"),
    ("÷", "/"),
    ("−", "-"),
)
WORDS = frozenset({"true", "false", "null", "in"})
FOREIGN_WORDS = {"and": "&&", "or": "||", "not": "!", "none": "null", "is": "=="} | {word: word for word in WORDS}


def tokens(source: str) -> list[Token]:
    """The tokens of an expression, ending with END; raises ExpressionError at the first thing that is none."""
    if len(source) > LONGEST:
        raise ExpressionError(
            _("The expression has %(count)d characters; %(most)d are allowed.") % {"count": len(source), "most": LONGEST},
            source=source,
            offset=LONGEST,
            remedy=_("Split it into several rules; all rules of a policy apply together."),
        )
    found: list[Token] = []
    at = 0
    while at < len(source):
        _refuse_foreign_mark(source, at)
        match = _TOKEN.match(source, at)
        if match is None:
            _refuse_character(source, at)
        kind, text = str(match.lastgroup), match.group()
        if kind != "space":
            found.append(_token(kind, text, source, at))
        at = match.end()
    found.append(Token(Kind.END, "", len(source), len(source)))
    return found


def _token(kind: str, text: str, source: str, at: int) -> Token:
    end = at + len(text)
    if kind == "number":
        following = source[end : end + 1]
        if following.isalpha() or following == "_":
            message = _("'%(text)s' at column %(column)d is neither a number nor a name.") % {
                "text": f"{text}{following}",
                "column": at + 1,
            }
            raise ExpressionError(message, source=source, offset=at)
        value = Decimal(text)
        if len(value.as_tuple().digits) > MOST_DIGITS or abs(value.adjusted()) > MOST_DIGITS:
            message = _("The number at column %(column)d has more than %(most)d digits.") % {"column": at + 1, "most": MOST_DIGITS}
            raise ExpressionError(message, source=source, offset=at)
        return Token(Kind.NUMBER, text, at, end, value)
    if kind == "text":
        return Token(Kind.TEXT, text, at, end, _unescape(text, source, at))
    if kind == "name":
        meant = FOREIGN_WORDS.get(text.lower())
        if meant and text not in WORDS:
            message = _("Write %(meant)s instead of '%(text)s' at column %(column)d.") % {"meant": meant, "text": text, "column": at + 1}
            raise ExpressionError(message, source=source, offset=at)
        return Token(Kind.NAME, text, at, end)
    return Token(Kind.MARK, text, at, end)


def _unescape(text: str, source: str, at: int) -> str:
    body, out, index = text[1:-1], [], 0
    while index < len(body):
        character = body[index]
        if character == "\\":
            index += 1
            if body[index] not in _ESCAPES:
                message = _("'%(escape)s' at column %(column)d is no escape; write \\\\ for a backslash.")
                said = {"escape": f"\\{body[index]}", "column": at + index + 1}
                raise ExpressionError(message % said, source=source, offset=at + index)
            character = _ESCAPES[body[index]]
        out.append(character)
        index += 1
    return "".join(out)


def _refuse_foreign_mark(source: str, at: int) -> None:
    for wrong, right in _FOREIGN_MARKS:
        if source.startswith(wrong, at):
            message = _("Write %(right)s instead of %(wrong)s at column %(column)d.") % {"right": right, "wrong": wrong, "column": at + 1}
            raise ExpressionError(message, source=source, offset=at)


def _refuse_character(source: str, at: int) -> NoReturn:
    character = source[at]
    hints = {
        "=": _("Unexpected '%(character)s' at column %(column)d. Write == to compare."),
        "&": _("Write && instead of %(character)s at column %(column)d."),
        "|": _("Write || instead of %(character)s at column %(column)d."),
        '"': _("The text that begins at column %(column)d does not end. Close it with %(character)s."),
        "'": _("The text that begins at column %(column)d does not end. Close it with %(character)s."),
    }
    message = hints.get(character) or _("Unexpected '%(character)s' at column %(column)d.")
    raise ExpressionError(message % {"character": character, "column": at + 1}, source=source, offset=at)
