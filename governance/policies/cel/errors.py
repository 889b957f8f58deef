"""What is wrong with an expression, and where."""

from __future__ import annotations

from config.portal.errors import Invalid


class ExpressionError(Invalid):
    """An expression that cannot be read. `column` counts from 1; `caret()` shows the place."""

    def __init__(self, message: str, *, source: str, offset: int, remedy: str = "") -> None:
        super().__init__(message, field="expression", remedy=remedy)
        self.source = source
        self.offset = min(offset, len(source))
        self.column = self.offset + 1

    def caret(self) -> str:
        """The line that is wrong, and below it a caret at the place."""
        start = self.source.rfind("\n", 0, self.offset) + 1
        end = self.source.find("\n", self.offset)
        line = self.source[start : end if end >= 0 else len(self.source)]
        return f"{line}\n{' ' * (self.offset - start)}^"
