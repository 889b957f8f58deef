"""What a comment's text says, without a database."""

from __future__ import annotations

import re

# Usernames as Django allows them; the last character may not be punctuation, so that "@bob." mentions bob.
_MENTION = re.compile(r"(?<![\w@.+-])@([\w@.+-]*[\w])")


def mentions(text: str) -> list[str]:
    """The usernames mentioned as @name, in order, each once."""
    return list(dict.fromkeys(_MENTION.findall(text)))
