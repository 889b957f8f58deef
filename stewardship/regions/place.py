"""Where a region stands, what it is called in addresses, and whether it counts: decided above it, never from inside."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from config.portal.permission import permits
from stewardship.regions.errors import NotYours
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight

PLACE = ("parent", "code", "practice")


def places(actor: Any, region: Region) -> bool:
    """Whether this person decides about the region's place: configures the one above it (for the root: everything)."""
    return permits(actor, RegionRight.CONFIGURE, region.parent)


def check_place(region: Region, *, actor: Any) -> None:
    """Raises NotYours when the (changed, unsaved) region's place differs from the stored one and was not this person's to change.

    SECURITY: what the regions above set binds a region through its parent, and a practice region stays out of every figure; so
    neither leaving a parent nor joining another is up to the region itself.
    """
    stored = Region.objects.select_related("parent").get(pk=region.pk)
    changed = [field for field in PLACE if getattr(stored, field) != getattr(region, field)]
    if changed and not (places(actor, stored) and places(actor, region)):
        raise NotYours(
            _("Where %(region)s belongs is decided above it.") % {"region": stored},
            field=changed[0],
            remedy=_("Ask somebody who configures the region above."),
        )
