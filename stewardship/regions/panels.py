"""How a region looks in the head of a page; one for practising is marked, so that nobody takes what happens there for real."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from config.portal.chips import Chip
from stewardship.regions.models import Region


def region_chips(region: Region) -> Iterator[Chip]:
    """Its name, and that it is for practice."""
    yield Chip(region.name, icon="none", title=_("Region"), is_name=True)
    if region.practice:
        yield Chip(_("practice"), "info", title=_("What is recorded here is marked and stays out of reports and figures."))
