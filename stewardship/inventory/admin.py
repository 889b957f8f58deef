"""Configuration of environments, projects, domains and families. Models, versions and deployments are shown; verbs move them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from stewardship.inventory.models import DataDomain, Deployment, Environment, ModelFamily, ModelVersion, Project, RegisteredModel
from stewardship.inventory.register import EDITABLE, edit_model, register_model
from stewardship.inventory.rights import DeploymentRight, ModelRight, VersionRight

_RIGHTS = {"view": ModelRight.VIEW, "change": ModelRight.EDIT, "add": ModelRight.REGISTER}


@admin.register(Project)
class ProjectAdmin(GovernedAdmin):
    """What models are built for."""

    rights = _RIGHTS
    list_display = ("name", "slug", "region")
    search_fields = ("name", "slug")
    list_select_related = ("region",)


@admin.register(DataDomain)
class DataDomainAdmin(GovernedAdmin):
    """Subject areas of data; changed from the root."""

    rights = _RIGHTS
    list_display = ("name", "slug")
    search_fields = ("name", "slug")


@admin.register(Environment)
class EnvironmentAdmin(GovernedAdmin):
    """Where versions run; changed from the root."""

    rights = _RIGHTS
    list_display = ("name", "slug", "order", "production")


@admin.register(ModelFamily)
class ModelFamilyAdmin(GovernedAdmin):
    """Families of models. Where one belongs and how it is addressed is settled when it is made."""

    rights = _RIGHTS
    list_display = ("name", "slug", "region", "project", "domain")
    list_select_related = ("region", "project", "domain")
    search_fields = ("name", "slug")
    numerous = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        # SECURITY: a family's editor holds rights on the family, not on the region it would be moved out of, or into.
        return ("slug", "region") if obj is not None else ()


@admin.register(RegisteredModel)
class RegisteredModelAdmin(GovernedAdmin):
    """What is said about a model can be edited; tier and stage move by their verbs, on the model's page."""

    rights = _RIGHTS
    fields = ("slug", "name", "family", "region", *sorted(EDITABLE - {"name"}), "tier", "stage", "registered_at")
    list_display = ("name", "slug", "stage", "tier", "region", "family")
    list_filter = ("stage", "tier")
    list_select_related = ("region", "family")
    search_fields = ("name", "slug")
    numerous = True
    readonly_fields = ("tier", "stage", "registered_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "slug", "family", "region") if obj is not None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {field: form.cleaned_data[field] for field in EDITABLE if field in form.cleaned_data}
        if change:
            changed = {field: value for field, value in values.items() if field in form.changed_data}
            edit_model(obj, actor=request.user, reason=form.cleaned_data["reason"], **changed)  # type: ignore[arg-type]
            return
        own = {field: form.cleaned_data[field] for field in ("slug", "family", "region")}
        made = register_model(actor=request.user, reason=form.cleaned_data["reason"], **own, **values)  # type: ignore[arg-type]
        obj.pk = made.pk


@admin.register(ModelVersion)
class ModelVersionAdmin(GovernedAdmin):
    """Versions come from pipelines and never change."""

    rights = {"view": VersionRight.VIEW}
    list_display = ("label", "model", "digest", "code_revision", "registered_at")
    list_select_related = ("model",)
    search_fields = ("label", "digest", "model__name")
    numerous = True


@admin.register(Deployment)
class DeploymentAdmin(GovernedAdmin):
    """Deployments are recorded by what deploys."""

    rights = {"view": DeploymentRight.VIEW}
    list_display = ("model", "version", "environment", "region", "share", "started_at", "ended_at")
    list_select_related = ("model", "version", "environment", "region")
    list_filter = ("environment",)
