"""The data files of the worked example, read with exact decimals."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "data"
TUMOUR_RISK = FOLDER / "tumour-risk"


@cache
def read(name: str) -> dict[str, Any]:
    """One of data/*.toml by its bare name."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), parse_float=Decimal)
