"""Grants: the derived, dated cache of who holds which right on which scope. Written by `grants` only, from role assignments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from config.portal.permission import Paths, Restricted
from stewardship.regions.models import Region


class Grant(UserObjectPermissionBase):
    """One right of one person on one scope, from–until, and the assignment it comes from.

    Several assignments may give the same right on the same scope, so a grant is unique only together with its source.
    """

    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True)
    source = models.UUIDField(_("assignment"), db_index=True)

    # Not guardian's, which would write grants that come from no assignment.
    objects = models.Manager.from_queryset(Restricted)()  # type: ignore[assignment]

    access_paths: ClassVar[Paths]

    class Meta:
        abstract = True
        default_permissions = ()


class RegionGrant(Grant):
    """Holds for the region and everything below it."""

    content_object = models.ForeignKey(Region, on_delete=models.CASCADE, verbose_name=_("region"))

    access_paths: ClassVar[Paths] = Paths(region=("content_object_id",))

    class Meta:
        verbose_name = _("grant on a region")
        verbose_name_plural = _("grants on regions")
        default_permissions = ()
