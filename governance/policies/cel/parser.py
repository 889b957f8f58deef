"""Tokens into a tree, by recursive descent; one method per level of precedence, loosest first."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from django.utils.translation import gettext as _

from governance.policies.cel import lexer
from governance.policies.cel.errors import ExpressionError
from governance.policies.cel.lexer import Kind, Token
from governance.policies.cel.syntax import Arithmetic, Call, Choice, Comparison, Junction, ListOf, Literal, Negation, Node, Path

DEEPEST = 40
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
FUNCTIONS = ("has", "size")
_WORD_VALUES: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parse(source: str) -> Node:
    """The tree of an expression; raises ExpressionError with the column and, where it can be guessed, what was meant."""
    parser = _Parser(source)
    node = parser.choice()
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = lexer.tokens(source)
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def choice(self) -> Node:
        self._deeper()
        condition = self.junction("||")
        node = condition
        if self._take("?"):
            then = self.choice()
            self._expect(":", _("A choice is written: condition ? value : other value"))
            otherwise = self.choice()
            node = Choice(condition, then, otherwise, condition.start, otherwise.end)
        self.depth -= 1
        return node

    def junction(self, mark: str) -> Node:
        parts = [self._junction_part(mark)]
        while self._take(mark):
            parts.append(self._junction_part(mark))
        return parts[0] if len(parts) == 1 else Junction(mark, tuple(parts), parts[0].start, parts[-1].end)

    def _junction_part(self, mark: str) -> Node:
        return self.junction("&&") if mark == "||" else self.comparison()

    def comparison(self) -> Node:
        left = self.arithmetic(("+", "-"))
        if not self._at_comparison():
            return left
        mark = self._advance()
        right = self.arithmetic(("+", "-"))
        if self._at_comparison():
            self._fail(_("Comparisons cannot be chained."), remedy=_("Write a < b && b < c, or put parentheses around one."))
        self._refuse_null(mark.text, left, right)
        return Comparison(mark.text, left, right, left.start, right.end)

    def _at_comparison(self) -> bool:
        return self.token.kind in (Kind.MARK, Kind.NAME) and self.token.text in COMPARISONS

    def _refuse_null(self, mark: str, *sides: Node) -> None:
        for side in sides:
            if mark in ("==", "!=") and isinstance(side, Literal) and side.value is None:
                # Null is "not known", so such a comparison could never be true or false.
                remedy = _("Write has(…) or !has(…) to ask whether there is a value.")
                self._fail_at(side.start, _("Nothing can be compared with null."), remedy=remedy)

    def arithmetic(self, marks: tuple[str, ...]) -> Node:
        first = self._factor(marks)
        rest: list[tuple[str, Node]] = []
        while self.token.kind is Kind.MARK and self.token.text in marks:
            mark = self._advance().text
            rest.append((mark, self._factor(marks)))
        return Arithmetic(first, tuple(rest), first.start, rest[-1][1].end) if rest else first

    def _factor(self, marks: tuple[str, ...]) -> Node:
        return self.arithmetic(("*", "/", "%")) if "+" in marks else self.unary()

    def unary(self) -> Node:
        if self.token.kind is Kind.MARK and self.token.text in ("!", "-"):
            mark = self._advance()
            self._deeper()
            operand = self.unary()
            self.depth -= 1
            return Negation(mark.text, operand, mark.start, operand.end)
        return self.member()

    def member(self) -> Node:
        node = self.primary()
        steps: list[Node | str] = []
        end = node.end
        while self.token.kind is Kind.MARK and self.token.text in (".", "["):
            if self._advance().text == ".":
                name = self._expect_name()
                steps.append(name.text)
                end = name.end
                if self.token.text == "(":
                    message = _("There are no methods such as .%(name)s().") % {"name": name.text}
                    self._fail(message, remedy=_("has(path) and size(value) are the functions."))
            else:
                steps.append(self.choice())
                end = self._expect("]", _('An index is written: list[0] or map["key"]')).end
        if not steps:
            return node
        if isinstance(node, Path) and isinstance(node.root, str) and not node.steps:
            return replace(node, steps=tuple(steps), end=end)
        return Path(node, tuple(steps), node.start, end)

    def primary(self) -> Node:  # noqa: RET503  # _fail never returns
        token = self.token
        if token.kind in (Kind.NUMBER, Kind.TEXT):
            self._advance()
            return Literal(token.value, token.start, token.end)
        if token.kind is Kind.NAME:
            return self._name()
        if self._take("("):
            node = self.choice()
            end = self._expect(")", _("Each ( needs a )")).end
            return replace(node, start=token.start, end=end)
        if self._take("["):
            return self._list(token)
        if token.text:
            self._fail(_("A value is expected instead of '%(found)s'") % {"found": token.text})
        self._fail(_("The expression ends where a value is expected,"))

    def _name(self) -> Node:
        token = self._advance()
        if token.text in _WORD_VALUES:
            return Literal(_WORD_VALUES[token.text], token.start, token.end)
        if token.text == "in":
            self._fail_at(token.start, _("A value is expected instead of '%(found)s'") % {"found": token.text})
        if self.token.kind is Kind.MARK and self.token.text == "(":
            return self._call(token)
        return Path(token.text, (), token.start, token.end)

    def _call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            message = _("There is no function '%(name)s'") % {"name": name.text}
            self._fail_at(name.start, message, remedy=_("has(path) and size(value) are the functions."))
        self._advance()
        argument = self.choice()
        end = self._expect(")", _("%(name)s() takes one value") % {"name": name.text}).end
        if name.text == "has" and not (isinstance(argument, Path) and isinstance(argument.root, str)):
            self._fail_at(argument.start, _("has() takes the path of a fact, for example has(evidence.metrics.recall)"))
        return Call(name.text, argument, name.start, end)

    def _list(self, opening: Token) -> Node:
        items: list[Node] = []
        while not self._is("]"):
            items.append(self.choice())
            if not self._take(","):
                break
        end = self._expect("]", _("A list is written: [1, 2, 3]")).end
        return ListOf(tuple(items), opening.start, end)

    def expect_end(self) -> None:
        if self.token.kind is not Kind.END:
            closing = self.token.text in (")", "]")
            message = _("'%(found)s' closes nothing") if closing else _("An operator is expected before '%(found)s'")
            self._fail(message % {"found": self.token.text})

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail(_("The expression is nested more than %(most)d deep") % {"most": DEEPEST}, remedy=_("Split it into several rules."))

    def _is(self, mark: str) -> bool:
        return self.token.kind is Kind.MARK and self.token.text == mark

    def _advance(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def _take(self, mark: str) -> bool:
        if self._is(mark):
            self.index += 1
            return True
        return False

    def _expect(self, mark: str, how: str) -> Token:
        if not self._is(mark):
            ended = self.token.kind is Kind.END
            message = (
                _("'%(mark)s' is expected, but the expression ends") if ended else _("'%(mark)s' is expected, but there is '%(found)s'")
            )
            self._fail(message % {"mark": mark, "found": self.token.text}, remedy=f"{how}.")
        return self._advance()

    def _expect_name(self) -> Token:
        if self.token.kind is not Kind.NAME:
            self._fail(_("A field name is expected after '.'"), remedy=_('Names with other characters are written map["name"].'))
        return self._advance()

    def _fail(self, message: str, *, remedy: str = "") -> NoReturn:
        self._fail_at(self.token.start, message, remedy=remedy)

    def _fail_at(self, offset: int, message: str, *, remedy: str = "") -> NoReturn:
        text = _("%(message)s at column %(column)d.") % {"message": message.rstrip("."), "column": offset + 1}
        raise ExpressionError(text, source=self.source, offset=offset, remedy=remedy)
