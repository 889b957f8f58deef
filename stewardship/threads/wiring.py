"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from stewardship.access import rights
from stewardship.notices import causes
from stewardship.notices.wiring import notice_list
from stewardship.threads.comment import CAUSE
from stewardship.threads.rights import ThreadRight


def wire() -> None:
    """Rights, and the notice of a mention."""
    rights.register(ThreadRight)
    causes.register(CAUSE, still_wanted=causes.always, link=notice_list)
