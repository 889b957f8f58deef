"""What templates may write: chips, times, digests, people, charts, icons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal import icons
from config.portal.chips import Chip, Tone
from config.portal.timeline import Item, grouped

register = template.Library()
# One run of white space and nothing to go back for: what people wrote may be ten thousand line breaks.
BETWEEN = re.compile(r">(\s+)<")


@register.simple_block_tag
def tight(content: str) -> SafeString:
    """Without the indentation between elements, which is a third of a configuration screen; a line break stays one."""
    # SECURITY: it was rendered already, and only white space goes.
    return SafeString(BETWEEN.sub(lambda found: ">\n<" if "\n" in found[1] else found[0], content))


MINUTE, HOUR, DAY = 60, 3600, 86400


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon by name; with a label when it stands alone."""
    return icons.icon(name, label)


@register.simple_tag
def chip(label: Any, tone: Tone = "neutral", sign: str = "", title: str = "") -> SafeString:
    """A chip, from a Chip or from a label and a tone."""
    if not label:
        return SafeString("")
    made = label if isinstance(label, Chip) else Chip(str(label), tone, sign, title)
    drawn = icons.icon(made.sign) if made.sign else SafeString("")
    said = format_html(' title="{}"', made.title) if made.title else SafeString("")
    return format_html('<span class="chip {}"{}>{}{}</span>', made.tone, said, drawn, made.text)


@register.filter
def ago(at: datetime | None, now: datetime | None = None) -> SafeString:
    """How long ago (or ahead), with the exact time and zone on hover and in print."""
    if at is None:
        return format_html('<span class="muted">{}</span>', _("never"))
    return _time(at, distance((now or timezone.now()) - at))


@register.filter
def exact(at: datetime | None) -> SafeString:
    """The moment itself, with its zone."""
    return SafeString("–") if at is None else _time(at, absolute(at))


@register.filter
def due(at: datetime | None, start: datetime | None = None) -> SafeString:
    """A deadline as a chip: calm, amber in the last quarter (or the last day), red when over. The moment is on hover."""
    return chip(deadline(at, start) if at is not None else Chip(_("no deadline")))


def deadline(at: datetime, start: datetime | None = None) -> Chip:
    """The chip of a deadline."""
    left = at - timezone.now()
    if left < timedelta(0):
        return Chip(_("%(time)s over") % {"time": span(-left)}, "act", "alert", absolute(at))
    whole = at - start if start is not None else None
    close = left < whole / 4 if whole else left < timedelta(days=1)
    return Chip(_("%(time)s left") % {"time": span(left)}, "watch" if close else "neutral", "watch", absolute(at))


def absolute(at: datetime) -> str:
    """The moment in the person's zone, with the zone's name."""
    local = timezone.localtime(at)
    return f"{formats.date_format(local, 'j M Y, H:i')} {local.tzname()}"


def distance(past: timedelta) -> str:
    """`3 hours ago`, `in 2 days`, `just now`."""
    if abs(past) < timedelta(seconds=45):
        return _("just now")
    return (_("%(time)s ago") if past > timedelta(0) else _("in %(time)s")) % {"time": span(abs(past))}


def span(length: timedelta) -> str:
    """A length of time in its largest fitting unit."""
    seconds = int(length.total_seconds())
    if seconds < HOUR:
        n = max(seconds // MINUTE, 1)
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if seconds < 2 * DAY:
        n = round(seconds / HOUR)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    if seconds < 60 * DAY:
        n = round(seconds / DAY)
        return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}
    n = round(seconds / DAY / 30.44)
    if n < 24:
        return ngettext("%(n)d month", "%(n)d months", n) % {"n": n}
    n = round(seconds / DAY / 365.25)
    return ngettext("%(n)d year", "%(n)d years", n) % {"n": n}


def _time(at: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), absolute(at), text)


@register.filter
def digest(value: Any, length: int = 8) -> SafeString:
    """A digest's first eight characters; the whole one on hover, and copied by a click."""
    text = str(value or "")
    if not text:
        return SafeString("–")
    return format_html('<code class="digest" title="{}" data-copy="{}">{}</code>', text, text, text[: int(length)])


@register.simple_tag
def person(user: Any, role: str = "", note: str = "") -> SafeString:
    """Initials in a circle, the name, the role; `note` for who is away and who acts."""
    if user is None:
        return format_html('<span class="muted">{}</span>', _("nobody"))
    name = str(user)
    more = (
        format_html(' <span class="muted">{}</span>', " · ".join(filter(None, (str(role), str(note))))) if role or note else SafeString("")
    )
    return format_html('<span class="person"><span class="initials" aria-hidden="true">{}</span>{}{}</span>', initials(name), name, more)


@register.filter
def initials(name: Any) -> str:
    """Two letters for a name."""
    words = str(name).split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


@register.simple_tag
def chart(svg: SafeString) -> SafeString:
    """A chart made by `config.portal.charts`."""
    return svg


@register.simple_tag(takes_context=True)
def timeline(context: template.Context, items: Iterable[Item]) -> SafeString:
    """Events as a vertical line, quiet neighbours folded."""
    return SafeString(render_to_string("portal/parts/timeline.html", {"groups": grouped(items)}, request=context.get("request")))


@register.filter
def shown(value: Any) -> Any:
    """Any value as a table or a list of facts shows it."""
    if value is None or value == "":
        return SafeString('<span class="muted none">–</span>')
    if isinstance(value, Chip):
        return chip(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return ago(value)
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return formats.number_format(Decimal(f"{value.normalize():f}"))  # 2.2, not 2.2000, and 100, not 1E+2
    return value


@register.filter
def about(row: Any) -> str:
    """What a noun is, in one sentence: the first line of its documentation. Given a row, since templates call classes."""
    line = (row.__doc__ or "").strip().split("\n")[0].replace("`", "")
    return "" if not line or line.startswith(f"{type(row).__name__}(") else _(line)


@register.filter
def item(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key) if mapping is not None else None


@register.filter
def sort_words(column: Any) -> str:
    return _("Sort by %(column)s") % {"column": column}
