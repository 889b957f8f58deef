"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from stewardship.access import rights
from stewardship.notices import causes
from stewardship.notices.wiring import notice_list
from stewardship.signing.credentials import LOCKED
from stewardship.signing.rights import SignatureRight


def wire() -> None:
    """Rights, and the notice that somebody is guessing."""
    rights.register(SignatureRight)
    causes.register(LOCKED, still_wanted=causes.always, link=notice_list)
