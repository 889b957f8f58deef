"""This slice's registrations; called when the apps are ready."""

from __future__ import annotations

from governance.policies.rights import EvaluationRight, PolicyRight, WaiverRight
from stewardship.access import rights


def wire() -> None:
    """Rights."""
    for names in (PolicyRight, EvaluationRight, WaiverRight):
        rights.register(names)
