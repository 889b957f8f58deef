"""How a source's words become ours. Pure: a document in, complaints or words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

LEVELS = ("observe", "investigate", "act")
# What a source may say in other words, and below which key of its mapping each translation stands.
TRANSLATED = {"model": "models", "environment": "environments", "region": "regions", "metric": "metrics"}
TABLES = (*TRANSLATED.values(), "labels", "levels")


def complaints(mapping: Any) -> list[str]:
    """What is wrong with a mapping, in words; empty when it can be applied."""
    if not isinstance(mapping, dict):
        return [_("A mapping is an object.")]
    found = []
    for key, value in mapping.items():
        if key == "default_level":
            if value not in LEVELS:
                found.append(_("default_level must be one of %(levels)s.") % {"levels": ", ".join(LEVELS)})
        elif key not in TABLES:
            text = _("“%(key)s” is not understood; use %(tables)s or default_level.")
            found.append(text % {"key": key, "tables": ", ".join(TABLES)})
        elif not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
            found.append(_("%(key)s must translate words into words.") % {"key": key})
        elif key == "levels" and not set(value.values()) <= set(LEVELS):
            found.append(_("levels may only lead to %(levels)s.") % {"levels": ", ".join(LEVELS)})
    return found


def translated(mapping: Mapping[str, Any], what: str, word: str) -> str:
    """Our word for what the source calls `word`; its own where nothing is said."""
    table: Mapping[str, str] = mapping.get(TRANSLATED[what], {})
    return table.get(word, word)
