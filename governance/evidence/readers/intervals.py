"""How sure a share is. Pure, exact to 6 places.

A bootstrap of rows collapses to a point when nothing (or everything) was missed: 57 of 57 gives [1, 1], as if it were certain.
Where the counts behind a share are known, Wilson's interval is put in its place; where not, no interval is claimed.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

Z95 = Decimal("1.959963984540054")
PLACES = Decimal("0.000001")


def wilson(share: Decimal, n: int) -> tuple[Decimal, Decimal]:
    """The 95 % score interval of a share seen in n cases; n must be above 0, share within 0 and 1."""
    with localcontext() as context:
        context.prec = 28
        z2 = Z95 * Z95
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 * ((share * (1 - share) + z2 / (4 * n)) / n).sqrt() / (1 + z2 / n)
        return max(Decimal(0), centre - half).quantize(PLACES), min(Decimal(1), centre + half).quantize(PLACES)


def honest(value: Decimal, low: Decimal | None, high: Decimal | None, cases: int | None) -> tuple[Decimal | None, Decimal | None, str]:
    """(low, high, how): as reported, or Wilson's where the reported one says nothing, or none."""
    reported = low is not None and high is not None and low < high
    if reported:
        return low, high, "reported"
    if cases and 0 <= value <= 1:
        return (*wilson(value, cases), "wilson")
    return None, None, "none"
