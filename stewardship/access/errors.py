"""Refusals of this slice."""

from django.http import Http404

from config.portal.errors import Forbidden as Forbidden
from config.portal.errors import Missing


class NotVisible(Missing, Http404):
    """The person may not even know that this exists (404)."""


class UnknownRight(LookupError):
    """A right that no slice has registered: a typing error in code or in a role, never a silent no."""
