"""What the domain says when it refuses. No HTTP here: `problems.py` maps these in one place."""

from django.utils.translation import gettext as _


class DomainError(Exception):
    """A refusal in plain words: what is wrong, which field, and what to do about it."""

    def __init__(self, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """The input cannot be accepted as it is (400 or a form error)."""


class Conflict(DomainError):
    """True a moment ago, not any more: a stale form, a duplicate, a lost race (409)."""


class IllegalTransition(Conflict):
    """The object is not in a state from which this step is possible (409)."""

    def __init__(self, current: str, wanted: str, *, remedy: str = "") -> None:
        text = _("This cannot go from %(current)s to %(wanted)s.") % {"current": current, "wanted": wanted}
        super().__init__(text, field="status", remedy=remedy)


class Forbidden(DomainError):
    """The person may see the object but may not do this to it (403)."""


class Unavailable(DomainError):
    """Something this needs is missing on this installation (503)."""


class Missing(DomainError):
    """Not there, or not visible to this person: the two must not be told apart (404)."""


class TooLarge(DomainError):
    """More bytes than this endpoint takes (413)."""


class Unprocessable(DomainError):
    """Understood, but at odds with an earlier request of the same name (422)."""
