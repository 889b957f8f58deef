"""`require` and `allowed_to`: the question every verb asks, answered by the same SQL as every list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from config.portal.permission import permits
from stewardship.access import rights
from stewardship.access.errors import Forbidden, NotVisible


def allowed_to(user: Any, right: str, obj: Any, at: datetime | None = None) -> bool:
    """Whether `user` holds `right` on `obj`: a row, None for the whole installation, or a class for "anywhere at all"."""
    return permits(user, rights.check(right), obj, at)


def require(user: Any, right: str, obj: Any, at: datetime | None = None) -> None:
    """Nothing when allowed. Otherwise NotVisible when they may not even see it, else Forbidden, which says who can."""
    if allowed_to(user, right, obj, at):
        return
    if obj is not None and not isinstance(obj, type):
        view = getattr(obj, "view_right", None)
        if view is None or str(view) == str(right) or not permits(user, rights.check(view), obj, at):
            raise NotVisible(_("There is nothing here."))
    who = rights.who_can(right)
    remedy = _("Ask somebody who is %(roles)s here.") % {"roles": _(" or ").join(who)} if who else _("No role carries this right yet.")
    raise Forbidden(_("You may not do this (%(right)s).") % {"right": str(right)}, remedy=remedy)
