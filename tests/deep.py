"""How deep a property or kill test digs: modestly in every run, to the bottom in `make soak`."""

from __future__ import annotations

import hypothesis

IS_SOAK = hypothesis.settings.get_current_profile_name() == "soak"


def depth(usual: int, deep: int) -> int:
    """`usual` in every run, `deep` in a soak."""
    return deep if IS_SOAK else usual
