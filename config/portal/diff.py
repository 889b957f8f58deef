"""What changed between two texts or two documents, word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WORDS = re.compile(r"\s+|[^\s\w]|\w+")


@dataclass(frozen=True)
class SectionDiff:
    """One section: its name, whether it changed, and both sides as HTML with `<del>` and `<ins>`."""

    name: str
    changed: bool
    old: SafeString
    new: SafeString


def words(old: str, new: str) -> tuple[SafeString, SafeString]:
    """Both texts as escaped HTML, with what went in `<del>` and what came in `<ins>`."""
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    left: list[tuple[str, str]] = []
    right: list[tuple[str, str]] = []
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        left.append(("" if kind == "equal" else "del", "".join(a[a1:a2])))
        right.append(("" if kind == "equal" else "ins", "".join(b[b1:b2])))
    return _marked(left), _marked(right)


def _marked(parts: list[tuple[str, str]]) -> SafeString:
    return format_html_join("", "{}", ((_wrap(tag, text),) for tag, text in parts if text))


def _wrap(tag: str, text: str) -> SafeString | str:
    if tag == "del":
        return format_html("<del>{}</del>", text)
    return format_html("<ins>{}</ins>", text) if tag == "ins" else text


def sections(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SectionDiff]:
    """Every section of either side; the changed ones first, each in its own order."""
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        before, after = as_text(old.get(name)), as_text(new.get(name))
        left, right = words(before, after)
        found.append(SectionDiff(str(name), before != after, left, right))
    return sorted(found, key=lambda section: not section.changed)


def as_text(value: Any) -> str:
    """A document as lines that a person can read and compare."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {as_text(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(f"- {as_text(inner)}" for inner in value)
    return str(value)
