"""Public holidays and further closed days of a calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache

import holidays
from django.utils.translation import gettext as _


def check_country(country: str, subdivision: str) -> None:
    """Raises ValueError when the holidays of this country or subdivision are not known."""
    if not country:
        if subdivision:
            raise ValueError(_("A subdivision needs its country."))
        return
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known:
        raise ValueError(_("%(country)r is no country whose holidays are known; use a code like DE.") % {"country": country})
    if subdivision and subdivision not in known[country]:
        raise ValueError(_("%(subdivision)r is no subdivision of %(country)s.") % {"subdivision": subdivision, "country": country})


def parse_closures(closures: Iterable[str] | None) -> frozenset[date]:
    """The dates; raises ValueError naming the one that cannot be read."""
    if closures is not None and not isinstance(closures, list | tuple):
        raise ValueError(_('Closed days are a list of dates like ["2026-12-24"].'))
    found = set()
    for text in closures or ():
        try:
            found.add(date.fromisoformat(str(text)))
        except ValueError as error:
            raise ValueError(_("%(text)r is not a date like 2026-12-24.") % {"text": text}) from error
    return frozenset(found)


@lru_cache(maxsize=64)
def _public(country: str, subdivision: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision or None)


def closed_days(country: str, subdivision: str, closures: Iterable[str] | None) -> Callable[[date], bool]:
    """A question "is nobody working on this day?" for one calendar."""
    extra = parse_closures(closures)
    public = _public(country, subdivision) if country else None

    def closed(day: date) -> bool:
        return day in extra or (public is not None and day in public)

    return closed
