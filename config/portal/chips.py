"""A fact in one word, with a tone. Never colour alone: the word or an icon stands with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.text import capfirst

Tone = Literal["good", "watch", "act", "info", "neutral", "unknown"]

ICONS: dict[str, str] = {"good": "check", "watch": "watch", "act": "alert", "info": "", "neutral": "", "unknown": "question"}


@dataclass(frozen=True)
class Chip:
    """A label with a tone; `icon` is a name of `portal/parts/icon.html`, the tone's own by default, `"none"` for none."""

    label: str | Promise
    tone: Tone = "neutral"
    icon: str = ""
    title: str | Promise = ""
    is_name: bool = False  # written as whoever gave the name writes it; every other label begins like a sentence

    @property
    def text(self) -> str:
        """What is shown."""
        return str(self.label) if self.is_name else capfirst(str(self.label))

    @property
    def sign(self) -> str:
        """The icon to draw, or nothing."""
        return "" if self.icon == "none" else (self.icon or ICONS.get(self.tone, ""))

    def __bool__(self) -> bool:
        return bool(self.label)

    def __str__(self) -> str:
        return str(self.label)
