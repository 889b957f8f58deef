"""What the tick looks after for this slice."""

from __future__ import annotations

from django.utils import timezone

from config.portal.tick import chore
from governance.gate import standing


@chore("standings", every=10)
def renew_standings() -> int:
    """Look again at answers that have expired."""
    return standing.renew(timezone.now())
