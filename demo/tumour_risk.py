"""The real model: three versions made by real tools on real clinical data. The example tells 1.0.0; the tour tells the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from demo.data import TUMOUR_RISK

EVIDENCE = (
    ("metrics", "metrics.json", "application/json"),
    ("junit", "junit.xml", "application/xml"),
    ("model_card", "model_card.md", "text/markdown"),
)


def version_fields(label: str) -> dict[str, Any]:
    """What a pipeline registers of this version, read from its training run."""
    run = json.loads((TUMOUR_RISK / "versions" / label / "run.json").read_text(encoding="utf-8"), parse_float=Decimal)
    data = run["data"]
    return {
        "label": label,
        "digest": run["artifact"]["sha256"],
        "uri": run["artifact"]["uri"],
        "code_revision": run["revision"],
        "run": f"train-{label}, seed {run['seed']}",
        "datasets": [{"name": name, **data[name]} for name in ("train", "test")],
        "libraries": run["libraries"],
        "notes": f"{run['model']['kind'].capitalize()}, trained on {data['train']['selection']}.",
    }


def evidence(label: str) -> list[tuple[str, str, str, bytes]]:
    """(kind, name, media type, bytes) of each file of this version."""
    return [(kind, name, media, (TUMOUR_RISK / "versions" / label / name).read_bytes()) for kind, name, media in EVIDENCE]
