"""The fast way to write rows is for plain rows only."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.signals import bulk
from monitoring.signals.models import Batch, Quarantined
from stewardship.journal.record import HistoryBypassed


@pytest.mark.parametrize("governed", [Batch, Quarantined])
def test_a_governed_row_is_refused_before_anything_is_written(governed: Any) -> None:
    with pytest.raises(HistoryBypassed):
        bulk.insert(governed, ["id"], [["x"]], every={})
    with pytest.raises(HistoryBypassed):
        bulk.update(governed, ["id"], [])
