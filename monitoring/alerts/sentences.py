"""What is wrong, in a sentence that a person reads first. Pure: values in, text out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from monitoring.thresholds.rules import Band


def figure(value: Any) -> str:
    """A number as one writes it: 0.46, not 0.460000000000."""
    exact = Decimal(value)
    rounded = exact.quantize(Decimal(1)) if abs(exact) >= 1000 else Decimal(f"{exact:.4g}")
    return format(rounded.normalize(), "f")


def beyond(band: Band, value: Decimal) -> tuple[str, Decimal | None]:
    """In words how a value leaves a band, and the bound that it leaves it by."""
    if band.low is not None and value < band.low:
        return _("below"), band.low
    return _("above"), band.high


def breach(series: str, model: str, region: str, value: Decimal, band: Band, node: str) -> str:
    """`Drift (wasserstein) of Tumour risk in Germany is 0.46, above 0.25 (bound of EU)`: names, as people say them."""
    how, bound = beyond(band, value)
    return _("%(series)s of %(model)s in %(region)s is %(value)s, %(how)s %(bound)s (bound of %(node)s)") % {
        "series": series,
        "model": model,
        "region": region,
        "value": figure(value),
        "how": how,
        "bound": figure(bound if bound is not None else value),
        "node": node,
    }


def silence(series: str, model: str, region: str) -> str:
    """No data came."""
    return _("No data: %(series)s of %(model)s in %(region)s is not known") % {"series": series, "model": model, "region": region}


def reported(title: str, model: str, region: str, source: str) -> str:
    """A source's own words, with what they are about."""
    return _("%(title)s (%(model)s in %(region)s, reported by %(source)s)") % {
        "title": title.rstrip("."),
        "model": model,
        "region": region,
        "source": source,
    }
