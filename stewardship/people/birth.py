"""The system account, made after every migration; a flush removes what a data migration would have made."""

from __future__ import annotations

from typing import Any

from stewardship.journal.acting import SYSTEM_USER_ID, acting
from stewardship.people.models import SYSTEM_USERNAME, User


def ensure_system_user(using: str = "default", **kwargs: Any) -> None:
    """Make the system account unless it is there; it is its own actor."""
    if User.objects.using(using).filter(pk=SYSTEM_USER_ID).exists():
        return
    user = User(pk=SYSTEM_USER_ID, username=SYSTEM_USERNAME, full_name="Concordat", is_system=True)
    user.set_unusable_password()
    with acting(user, "The installation begins"):
        user.save(using=using)
