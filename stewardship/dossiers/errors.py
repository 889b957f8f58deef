"""Refusals of this slice."""

from config.portal.errors import Conflict, Invalid


class TemplateRefused(Invalid):
    """The sections do not make sense; the message says which."""


class TemplateIsFixed(Conflict):
    """A template in use never changes; its next version is drafted instead."""


class NoTemplate(Conflict):
    """No template is in use for the model's region."""


class EditRefused(Invalid):
    """A block that does not exist, is filled by the registry, or holds something else than it should."""


class DossierMoved(Conflict):
    """Somebody revised the dossier since this person opened it."""
