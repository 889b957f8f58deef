"""What people may be allowed to do with dossiers and their templates."""

from enum import StrEnum


class DossierRight(StrEnum):
    VIEW = "dossiers:dossier:view"
    REVISE = "dossiers:dossier:revise"


class TemplateRight(StrEnum):
    CONFIGURE = "dossiers:template:configure"
