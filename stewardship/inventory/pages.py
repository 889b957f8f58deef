"""The register of models, a family, and registering a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.pages import Crumb, FormPage, ListPage, ObjectPage, PageAction
from config.portal.permission import holds
from config.portal.registry import Hit
from config.portal.tables import Column, Filter, Table
from stewardship.inventory.forms import RegisterModelForm
from stewardship.inventory.models import TIERS, Deployment, ModelFamily, RegisteredModel, Stage
from stewardship.inventory.register import register_model
from stewardship.inventory.rights import ModelRight
from stewardship.inventory.shown import model_url, running, stage_chip, tier_chip
from stewardship.regions.listing import region_filter
from stewardship.roles.listing import with_accountable

if TYPE_CHECKING:
    from stewardship.people.models import User


def _families(request: HttpRequest) -> Iterable[tuple[Any, str]]:
    return ((family.pk, family.name) for family in ModelFamily.objects.allowed(request.user, ModelRight.VIEW)[:60])


def _of_tier(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(tier__isnull=True) if value == "none" else rows.filter(tier=value)


class ModelTable(Table):
    """One row per model: what it is, where it stands, who answers for it."""

    columns: ClassVar[Sequence[Column]] = (
        Column("name", gettext_lazy("Model"), link=model_url, order="name"),
        Column("stage", gettext_lazy("Stage"), value=stage_chip),
        Column("tier", gettext_lazy("Tier"), value=tier_chip, export=lambda model: model.tier),
        Column("region", gettext_lazy("Region"), value="region__name", order="region__name"),
        Column("family", gettext_lazy("Family"), value="family__name"),
        Column("accountable_name", gettext_lazy("Accountable"), value=lambda model: model.accountable_name or _("nobody")),
        Column("running", gettext_lazy("Runs"), value=running),
        Column("changed_at", gettext_lazy("Last change")),
    )
    filters: ClassVar[Sequence[Filter]] = (
        region_filter(ModelRight.VIEW),
        Filter("stage", gettext_lazy("Stage"), choices=Stage.choices),
        Filter(
            "tier",
            gettext_lazy("Tier"),
            choices=[*((tier, str(tier)) for tier in TIERS), ("none", gettext_lazy("not assessed"))],
            apply=_of_tier,
        ),
        Filter("family", gettext_lazy("Family"), choices=_families, lookup="family_id"),
    )
    ordering = ("name",)
    search: ClassVar[tuple[str, ...]] = ("name__icontains", "slug__icontains")
    name = "models"
    caption = gettext_lazy("Models")
    empty = gettext_lazy("Here will be every model that you may see.")


def listed(rows: QuerySet[RegisteredModel]) -> QuerySet[RegisteredModel]:
    """Models with everything that one row of the register shows."""
    now = timezone.now()
    history = RegisteredModel.history.model.objects.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
    live = Deployment.objects.live(now).select_related("version", "environment", "region").order_by("-environment__order", "region__name")
    return (
        with_accountable(rows, now)
        .annotate(changed_at=Subquery(history.values("history_date")[:1]))
        .select_related("region", "family")
        .prefetch_related(Prefetch("deployments", queryset=live, to_attr="running_now"))
    )


class ModelList(ListPage):
    """Which models are there, and who answers for them?"""

    model = RegisteredModel
    right = ModelRight.VIEW
    title = gettext_lazy("Models")
    nav = "model_list"
    table = ModelTable

    def get_queryset(self) -> QuerySet[Any]:
        return listed(super().get_queryset())

    def get_actions(self) -> Iterable[PageAction]:
        if holds(self.request.user, ModelRight.REGISTER):
            yield PageAction(_("Register a model"), reverse("register_model"), primary=True)


def facts_of(model: RegisteredModel) -> list[tuple[str, Any]]:
    """What is said about a model, as label and value; what was left open is left out."""
    facts = [
        (_("Purpose"), model.purpose),
        (_("Business outcome"), model.outcome),
        (_("Measured by"), model.outcome_measure),
        (_("Exposure"), model.exposure),
        (_("Class of purpose"), model.purpose_class),
        (_("Technique"), model.technique),
        (_("Outside provider"), model.provider),
        (_("Legal entity"), model.legal_entity),
        (_("Ruling"), model.get_ruling_display()),
        (_("Why so ruled"), model.ruling_rationale),
        (_("Registered"), model.registered_at),
    ]
    return [(label, value) for label, value in facts if value]


class FamilyPage(ObjectPage):
    """What belongs to this family?"""

    model = ModelFamily
    right = ModelRight.VIEW
    select_related = ("region", "project", "domain")
    template_name = "stewardship/inventory/family_page.html"
    nav = "model_list"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Models"), reverse("model_list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = listed(RegisteredModel.objects.allowed(self.request.user, ModelRight.VIEW).filter(family=self.object))
        facts = [
            (_("Purpose"), self.object.purpose),
            (_("Region"), self.object.region),
            (_("Project"), self.object.project),
            (_("Data domain"), self.object.domain),
        ]
        return super().get_context_data(table=FamilyTable(rows, self.request), facts=facts, **kwargs)


class FamilyTable(ModelTable):
    """The models of one family."""

    columns = tuple(column for column in ModelTable.columns if column.name != "family")
    filters = ()
    search = ()
    empty = gettext_lazy("Here will be the models of this family that you may see.")


class RegisterModel(FormPage):
    """Enter a model into the inventory."""

    right = ModelRight.REGISTER
    title = gettext_lazy("Register a model")
    submit_label = gettext_lazy("Register")
    success = gettext_lazy("Registered. It starts as a concept.")
    form_class = RegisterModelForm
    nav = "model_list"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Models"), reverse("model_list"))]

    def get_initial(self) -> dict[str, Any]:
        home = getattr(self.request.user, "home_region_id", None)
        return {"region": home, **({"family": self.request.GET["family"]} if self.request.GET.get("family") else {})}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def submit(self, form: Any) -> str:
        return model_url(register_model(actor=cast("User", self.request.user), **form.cleaned_data))


def find_models(user: Any, text: str, limit: int) -> list[Hit]:
    """For the palette: models by name or short name."""
    rows = RegisteredModel.objects.allowed(user, ModelRight.VIEW).filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return [
        Hit(row.name, f"{row.region.name} · {row.get_stage_display()}", model_url(row), "model")
        for row in rows.select_related("region")[:limit]
    ]


def find_families(user: Any, text: str, limit: int) -> list[Hit]:
    """For the palette: families by name."""
    rows = ModelFamily.objects.allowed(user, ModelRight.VIEW).filter(name__icontains=text).select_related("region")[:limit]
    return [Hit(row.name, row.region.name, reverse("family_detail", args=[row.pk]), "family") for row in rows]
