"""Refusals of this slice."""

from __future__ import annotations

from config.portal.errors import Conflict, Forbidden, Invalid


class NoRoute(Conflict):
    """No rule says who must agree, so nobody can; names who can configure one."""


class VacantRole(Conflict):
    """A role that must agree has too few eligible people."""


class StaleForm(Conflict):
    """The content was edited after the page was opened, or its evidence replaced."""


class NotAsked(Forbidden):
    """This person is not among those who must agree, or may not be; says why."""


class NotYetCompliant(Conflict):
    """A blocking rule is not met or not known, so approving is not possible."""


class NotSigned(Conflict):
    """The decision is not what its signature says: another change, person, content or outcome."""


class BadStages(Invalid):
    """The stages of a route rule cannot be read; the field names the place."""
