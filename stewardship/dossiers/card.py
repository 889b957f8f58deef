"""A dossier as a Markdown model card and as a JSON document, for outside repositories."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from stewardship.dossiers.models import Revision
from stewardship.dossiers.read import Block, Section, read

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def markdown(revision: Revision, at: datetime | None = None) -> str:
    """The card: metadata first, then each section; blocks that hold nothing say so."""
    lines = ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in summary(revision, at).items()), "---", ""]
    lines += [f"# {_plain(revision.dossier.model.name)}", ""]
    for section in read(revision, at):
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def summary(revision: Revision, at: datetime | None = None) -> dict[str, Any]:
    """What identifies the card: JSON types only."""
    found = revision.completeness(at)
    return {
        "model": revision.dossier.model.slug,
        "model_name": revision.dossier.model.name,
        "version": revision.version.label if revision.version else None,
        "template": f"{revision.template.slug}/{revision.template.version}",
        "revision": revision.number,
        "revised_at": revision.at.isoformat(),
        "digest": revision.digest,
        "completeness": str(found.share),
        "missing": found.missing,
        "stale": found.stale,
    }


def document(revision: Revision, at: datetime | None = None) -> dict[str, Any]:
    """The whole content with what identifies it; `content` is what `digest` is the SHA-256 of, in canonical JSON."""
    return {**summary(revision, at), "content": revision.content}


def _section(section: Section) -> list[str]:
    lines = [f"## {_plain(section.title)}", ""]
    for block in section.blocks:
        if len(section.blocks) > 1:
            lines += [f"### {_plain(block.title)}", ""]
        lines += [*_block(block), ""]
    return lines


def _block(block: Block) -> list[str]:
    if block.is_empty:
        return [f"*{_('Not known.')}*"]
    if block.kind == "metrics" and block.rows:
        head = "| " + " | ".join(block.columns) + " |"
        return [head, "|" + "---|" * len(block.columns), *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in block.rows)]
    if block.kind == "facts" and block.pairs:
        return [f"- **{_plain(label)}**: {_plain(text)}" for label, text in block.pairs]
    if block.kind == "text":
        # People write Markdown here; only what could end the document's own structure is defused.
        return [re.sub(r"^(#|---)", r"\\\1", line) for line in str(block.value).splitlines()]
    return [f"- {_plain(line)}" for line in block.lines]


def _cell(value: Any) -> str:
    return "" if value is None else _plain(str(value))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")
