"""What a change came from: the kinds of origin there are, finding one for a person, and the way there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import Invalid

if TYPE_CHECKING:
    from stewardship.people.models import User

MOST_WORDS = 200
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"(?:CR-)?(\d{1,9})", re.IGNORECASE)


class OriginKind(models.TextChoices):
    """Where the wish for a change comes from."""

    ALERT = "alert", _("Alert")
    CHANGE = "change", _("Another change")
    ACTION = "action", _("Action")
    GAP = "gap", _("Gap")
    REVIEW = "review", _("Review")
    LAW = "law", _("Law or rule from outside")
    OTHER = "other", _("Something else")


# Kinds that point at something in the portal: its noun and its page. All others are told in words.
_OBJECTS: dict[str, tuple[str, str]] = {
    OriginKind.ALERT: ("monitoring.Alert", "alert_detail"),
    OriginKind.CHANGE: ("governance.ChangeRequest", "change_detail"),
    OriginKind.ACTION: ("stewardship.Action", "action_detail"),
    OriginKind.GAP: ("stewardship.Gap", "gap_detail"),
}


@dataclass(frozen=True)
class Origin:
    """What a change came from, as it is kept with it; all empty where nobody said."""

    kind: str = ""
    id: UUID | None = None
    label: str = ""


def trace(user: User, kind: str, reference: str) -> Origin:
    """The origin that a person names: an address, id or number of something they may see, or words.

    Raises Invalid naming the field; what may not be seen does not exist.
    """
    reference = reference.strip()
    if not kind and not reference:
        return Origin()
    if kind not in OriginKind.values:
        raise Invalid(
            gettext("“%(kind)s” is no kind of origin.") % {"kind": kind},
            field="origin_kind",
            remedy=gettext("Use one of: %(kinds)s.") % {"kinds": ", ".join(OriginKind.values)},
        )
    if kind not in _OBJECTS:
        if not reference:
            raise Invalid(
                gettext("Say in a few words what it was."),
                field="origin_reference",
                remedy=gettext("Name the review, the law, or what happened."),
            )
        return Origin(kind, None, reference[:MOST_WORDS])
    found = _find(user, kind, reference)
    if found is None:
        raise Invalid(
            gettext("There is no such origin, or none that you may see."),
            field="origin_reference",
            remedy=gettext("Copy the address of its page, or write its id; of a change its number will do, e.g. CR-12."),
        )
    return Origin(kind, found.pk, str(found)[:MOST_WORDS])


def _find(user: User, kind: str, reference: str) -> Any:
    noun: Any = apps.get_model(_OBJECTS[kind][0])
    rows = noun.objects.allowed(user, noun.view_right)
    if written := _ID.search(reference):
        return rows.filter(pk=UUID(written[0])).first()
    number = _NUMBER.fullmatch(reference)
    return rows.filter(number=int(number[1])).first() if kind == OriginKind.CHANGE and number else None


def page_of(kind: str, origin: UUID | None) -> str:
    """The page of an origin, or nothing where it is told in words."""
    return reverse(_OBJECTS[kind][1], args=[origin]) if kind in _OBJECTS and origin is not None else ""
