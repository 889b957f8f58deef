"""What makes us go back, measurably: a metric of the catalogue, which side of the bound is bad, and the bound."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.formats import sanitize_separators
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import Invalid
from monitoring.signals.models import Metric
from stewardship.journal import canonical

FIELD = "rollback_criteria"
MOST = 20
_LINE = re.compile(r"(?P<metric>\S+)\s+(?P<comparison>\S+)\s+(?P<bound>\S+)")
_LARGEST = Decimal(10) ** 15


class Comparison(models.TextChoices):
    """Which side of the bound is bad."""

    BELOW = "below", _("below")
    ABOVE = "above", _("above")


# As thresholds and the catalogue call it.
DIRECTIONS: dict[str, str] = {Comparison.BELOW: "lower_is_worse", Comparison.ABOVE: "higher_is_worse"}


def checked(criteria: Any) -> list[dict[str, Any]]:
    """The criteria as they are kept; raises Invalid saying which one cannot be watched, and why."""
    if not isinstance(criteria, list) or len(criteria) > MOST:
        raise _refused(gettext("Criteria are a list of at most %(n)d.") % {"n": MOST}, gettext("Keep those that decide."))
    rows = [_row(each) for each in criteria]
    metrics = {metric.slug: metric for metric in Metric.objects.filter(slug__in=[row["metric"] for row in rows])}
    for row in rows:
        metric = metrics.get(row["metric"])
        if metric is None:
            raise _refused(
                gettext("There is no metric “%(metric)s” in the catalogue.") % row, gettext("Choose one that is, or have it added.")
            )
        if metric.direction not in ("", DIRECTIONS[row["comparison"]]):
            raise _refused(
                gettext("Of %(metric)s the catalogue says: %(direction)s. This criterion would never be breached.")
                % {"metric": metric.slug, "direction": metric.get_direction_display()},
                gettext("Turn it round, or describe it in words under what makes you go back."),
            )
    return rows


def _row(criterion: Any) -> dict[str, Any]:
    if not isinstance(criterion, dict) or set(criterion) != {"metric", "comparison", "bound"}:
        raise _refused(gettext("A criterion has metric, comparison and bound."), gettext("Say, for example: recall, below, 0.85."))
    metric, comparison, bound = criterion["metric"], criterion["comparison"], criterion["bound"]
    if not isinstance(metric, str) or comparison not in Comparison.values:
        raise _refused(gettext("A criterion compares a metric with a bound."), gettext("The comparison is “below” or “above”."))
    exact = Decimal(bound) if isinstance(bound, int | Decimal) and not isinstance(bound, bool) else Decimal("NaN")
    if not exact.is_finite() or abs(exact) > _LARGEST:
        raise _refused(
            gettext("The bound of %(metric)s is no number that can be compared.") % {"metric": metric}, gettext("Give a plain number.")
        )
    # As it will be read back, so that the digest of the content is the same before and after it was stored.
    return {"metric": metric, "comparison": str(comparison), "bound": canonical.load(canonical.dump(bound))}


def _refused(message: str, remedy: str) -> Invalid:
    return Invalid(message, field=FIELD, remedy=remedy)


def read(text: str) -> list[dict[str, Any]]:
    """What a person wrote, one criterion a line: `recall below 0.85`. Raises Invalid quoting the line."""
    return [_read(line.strip()) for line in text.splitlines() if line.strip()]


def _read(line: str) -> dict[str, Any]:
    words = {"<": Comparison.BELOW, ">": Comparison.ABOVE}
    for each in Comparison:
        words |= {each.value: each, str(each.label).lower(): each}
    found = _LINE.fullmatch(line)
    bound = str(sanitize_separators(found["bound"])) if found else ""
    if found is None or found["comparison"].lower() not in words or not re.fullmatch(r"-?\d{1,15}(\.\d{1,8})?", bound):
        raise _refused(
            gettext("“%(line)s” cannot be read as a criterion.") % {"line": line[:80]},
            gettext("Write a metric, below or above, and a number: recall below 0.85"),
        )
    return {"metric": found["metric"], "comparison": words[found["comparison"].lower()].value, "bound": Decimal(bound)}


def written(criteria: Iterable[Any]) -> list[str]:
    """Each criterion as a sentence, in the words that `read` understands."""
    return [f"{each['metric']} {Comparison(each['comparison']).label} {each['bound']}" for each in criteria or ()]
