"""What a template must look like, how complete and how fresh a dossier is, and what changed between two revisions. Pure.

A template has sections, a section has blocks:
    {"key", "title", "help", "mandatory", "stale_after_days", "blocks": [{"key", "title", "type", "provider", "mandatory", "help"}]}
`type` is text, list, facts, metrics or people. A block with a provider is filled by it; only text and list can be written by hand.
Content is {"template": {…}, "blocks": {"section.block": {"value", "edited_at", "edited_by"}}}; the last two of what was written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _

Document = Mapping[str, Any]
WRITTEN = ("text", "list")
TYPES = (*WRITTEN, "facts", "metrics", "people")
LONGEST_TEXT = 20_000
MOST_WORDS = 2_000
_KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
_WORDS = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Completeness:
    """How many mandatory sections are filled and fresh; `missing` and `stale` are their titles."""

    mandatory: int
    missing: list[str]
    stale: list[str]

    @property
    def share(self) -> Decimal:
        """From 0 to 1; 1 where nothing is mandatory."""
        if not self.mandatory:
            return Decimal(1)
        done = self.mandatory - len(set(self.missing) | set(self.stale))
        return (Decimal(done) / Decimal(self.mandatory)).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Changed:
    """One block that differs: `parts` are (kind, text) with kind equal, delete or insert, word by word."""

    key: str
    section: str
    title: str
    parts: list[tuple[str, str]]

    @property
    def is_new(self) -> bool:
        """Whether there was nothing before."""
        return all(kind == "insert" for kind, _ in self.parts)


def problems(sections: Any) -> list[str]:
    """Everything that is wrong with the sections of a template, in words."""
    if not isinstance(sections, list) or not sections:
        return [_("A template is a list of at least one section.")]
    found: list[str] = []
    seen: set[str] = set()
    for section in sections:
        if not isinstance(section, Mapping) or not _KEY.match(str(section.get("key", ""))) or not section.get("title"):
            found.append(_("Each section needs a plain key and a title."))
            continue
        if section["key"] in seen:
            found.append(_("Two sections have the key '%(key)s'.") % {"key": section["key"]})
        seen.add(section["key"])
        days = section.get("stale_after_days")
        if days is not None and (not isinstance(days, int) or isinstance(days, bool) or days < 1):
            found.append(_("'%(title)s' goes stale after a whole number of days, or never.") % {"title": section["title"]})
        found.extend(_block_problems(section))
    return found


def _block_problems(section: Document) -> Iterator[str]:
    blocks = section.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        yield _("'%(title)s' needs at least one block.") % {"title": section["title"]}
        return
    seen: set[str] = set()
    for block in blocks:
        if not isinstance(block, Mapping) or not _KEY.match(str(block.get("key", ""))) or not block.get("title"):
            yield _("Each block of '%(title)s' needs a plain key and a title.") % {"title": section["title"]}
            continue
        if block["key"] in seen:
            yield _("Two blocks of '%(title)s' have the key '%(key)s'.") % {"title": section["title"], "key": block["key"]}
        seen.add(block["key"])
        if block.get("type") not in TYPES:
            yield _("'%(title)s' has no type; choose one of %(types)s.") % {"title": block["title"], "types": ", ".join(TYPES)}
        elif block["type"] not in WRITTEN and not block.get("provider"):
            yield _("'%(title)s' cannot be written by hand, so it needs a provider.") % {"title": block["title"]}


def blocks(sections: Sequence[Document]) -> Iterator[tuple[str, Document, Document]]:
    """Each block as (address, section, block); the address is section.block."""
    for section in sections:
        for block in section["blocks"]:
            yield f"{section['key']}.{block['key']}", section, block


def is_written(block: Document) -> bool:
    """Whether people write it (a provider fills the others)."""
    return block["type"] in WRITTEN and not block.get("provider")


def edit_problem(block: Document, value: Any) -> str:
    """Why this value cannot stand in this block; empty when it can."""
    if not is_written(block):
        return _("'%(title)s' is filled by the registry; change it there.") % {"title": block["title"]}
    items = [value] if block["type"] == "text" else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        text = _("'%(title)s' takes a text.") if block["type"] == "text" else _("'%(title)s' takes a list of texts.")
        return text % {"title": block["title"]}
    if sum(len(item) for item in items) > LONGEST_TEXT:
        return _("'%(title)s' has more than %(most)d characters.") % {"title": block["title"], "most": LONGEST_TEXT}
    return ""


def completeness(sections: Sequence[Document], content: Document, at: datetime | None = None) -> Completeness:
    """Which mandatory sections lack something, and, at an instant (aware), which were not looked at for too long."""
    missing: dict[str, str] = {}
    mandatory: dict[str, str] = {}
    stale: dict[str, str] = {}
    held = content.get("blocks", {})
    for address, section, block in blocks(sections):
        if not block.get("mandatory", section.get("mandatory", False)):
            continue
        mandatory[section["key"]] = section["title"]
        entry = held.get(address, {})
        if not _is_filled(entry.get("value")):
            missing[section["key"]] = section["title"]
        elif at is not None and _is_stale(section, block, entry, at):
            stale[section["key"]] = section["title"]
    return Completeness(len(mandatory), list(missing.values()), [title for key, title in stale.items() if key not in missing])


def _is_filled(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return value not in (None, [], {})


def _is_stale(section: Document, block: Document, entry: Document, at: datetime) -> bool:
    days = section.get("stale_after_days")
    if not days or not is_written(block):
        return False
    edited = entry.get("edited_at")
    # What nobody is known to have looked at is stale, not fresh.
    return edited is None or datetime.fromisoformat(edited) + timedelta(days=days) <= at


def text_of(value: Any) -> str:
    """A block's value as text, one line per item, so that it can be compared word by word and written as Markdown."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_inline(item)}" for key, item in value.items() if _is_filled(item))
    if isinstance(value, list):
        return "\n".join(_inline(item) for item in value)
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inline(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return ", ".join(_inline(item) for item in value)
    return str(value)


def diff(sections: Sequence[Document], old: Document, new: Document) -> list[Changed]:
    """What changed between two contents, in the template's order; blocks that the template no longer has come last."""
    before, after = old.get("blocks", {}), new.get("blocks", {})
    titles = {address: (section["title"], block["title"]) for address, section, block in blocks(sections)}
    gone = [address for address in sorted({*before, *after}) if address not in titles]
    found = []
    for address in [*titles, *gone]:
        one, other = text_of(before.get(address, {}).get("value")), text_of(after.get(address, {}).get("value"))
        if one != other:
            section, title = titles.get(address, ("", address))
            found.append(Changed(address, section, title, words(one, other)))
    return found


def words(old: str, new: str) -> list[tuple[str, str]]:
    """(equal | delete | insert, text) from the old to the new text; very long texts are compared whole."""
    one, other = _WORDS.findall(old), _WORDS.findall(new)
    if len(one) > MOST_WORDS or len(other) > MOST_WORDS:
        return [part for part in (("delete", old), ("insert", new)) if part[1]]
    parts: list[tuple[str, str]] = []
    for kind, start, end, other_start, other_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("equal", "".join(one[start:end])))
            continue
        if end > start:
            parts.append(("delete", "".join(one[start:end])))
        if other_end > other_start:
            parts.append(("insert", "".join(other[other_start:other_end])))
    return parts
