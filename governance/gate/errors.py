"""Refusals of this slice."""

from __future__ import annotations

from config.portal.errors import Conflict, Invalid, Missing


class UnknownTarget(Invalid):
    """The environment or region does not exist; the field says which."""


class UnknownVersion(Missing):
    """No such model or version, or none that this person may see."""


class PermitRefused(Invalid):
    """The permit is not ours, was altered, is for something else, or has expired."""


class NotAllowed(Conflict):
    """The gate does not say yes, so the deployment cannot be recorded."""
