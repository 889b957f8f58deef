"""Pages over several floors about one model: its cockpit, its versions with their evidence; and the models that are mine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.chips import Chip
from config.portal.errors import Invalid
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage, PageAction, Tab, rendered_panels
from governance.audits.rights import ReportRight
from governance.changes.models import ChangeRequest
from governance.changes.pages import ChangeTable
from governance.changes.rights import ChangeRight
from governance.evidence.attach import attach
from governance.evidence.panels import evidence_of
from governance.evidence.readers import kinds
from governance.evidence.rights import ArtifactRight
from governance.portfolio import cockpit, happened, mine
from governance.portfolio.forms import AttachEvidenceForm, RegisterVersionForm
from monitoring.alerts.models import Alert
from monitoring.alerts.rights import AlertRight
from stewardship.access.reach import tree_of
from stewardship.inventory.models import ModelFamily, ModelVersion, RegisteredModel
from stewardship.inventory.pages import ModelTable, facts_of, listed
from stewardship.inventory.register import register_version
from stewardship.inventory.rights import ModelRight, VersionRight
from stewardship.inventory.shown import model_url, stage_chip, tier_chip
from stewardship.people.models import User
from stewardship.regions.panels import region_chips
from stewardship.roles.listing import with_accountable

MOST_VERSIONS = 20


def _number(rows: QuerySet[Any]) -> Any:
    """How many of these rows belong to the model of the outer query."""
    counted = rows.filter(model=OuterRef("pk")).order_by().values("model").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


class ModelPage(ObjectPage):
    """Where does it run, what waits, how does it do, and who answers for it?"""

    model = RegisteredModel
    right = ModelRight.VIEW
    select_related = ("region", "family", "legal_entity")
    template_name = "governance/portfolio/model_page.html"
    nav = "model_list"

    def get_queryset(self) -> QuerySet[Any]:
        """With the accountable person and what the reader may do, all in the statement that finds it."""
        user = self.request.user

        def may(right: str) -> Exists:
            return Exists(RegisteredModel.objects.allowed(user, right).filter(pk=OuterRef("pk")))

        rows: QuerySet[Any] = with_accountable(super().get_queryset(), timezone.now(), tree_of(user)).annotate(
            may_draft=may(ChangeRight.DRAFT),
            may_register=may(VersionRight.REGISTER),
            may_report=may(ReportRight.REQUEST),
            may_see_family=Exists(ModelFamily.objects.allowed(user, ModelFamily.view_right).filter(pk=OuterRef("family"))),
            waits=_number(ChangeRequest.objects.allowed(user, ChangeRight.VIEW).in_review()),
            alarms=_number(Alert.objects.allowed(user, AlertRight.VIEW).unresolved()),
        )
        return rows

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.at = timezone.now()

    def get_crumbs(self) -> Iterable[Crumb]:
        family = self.object.family
        way = reverse("family_detail", args=[family.pk]) if self.object.may_see_family else ""
        return [Crumb(_("Models"), reverse("model_list")), Crumb(family.name, way)]

    def get_chips(self) -> Iterable[Chip]:
        name = self.object.accountable_name
        yield stage_chip(self.object)
        yield tier_chip(self.object)
        yield from region_chips(self.object.region)
        yield Chip(name, icon="person", title=_("Accountable"), is_name=True) if name else Chip(_("nobody accountable"), "act")

    def get_actions(self) -> Iterable[PageAction]:
        if self.object.may_draft:
            yield PageAction(_("Open a change"), reverse("change_new", args=[self.object.pk]), primary=True)
        if self.object.may_register:
            yield PageAction(_("Register a version"), reverse("version_new", args=[self.object.pk]))
        if self.object.may_report:
            yield PageAction(_("Audit report"), reverse("report_new", args=[self.object.pk]))

    def get_tabs(self) -> tuple[Tab, ...]:
        return (
            Tab("overview", gettext_lazy("Overview")),
            Tab("dossier", gettext_lazy("Dossier")),
            Tab("changes", gettext_lazy("Changes"), self.object.waits),
            Tab("monitoring", gettext_lazy("Monitoring"), self.object.alarms),
            Tab("people", gettext_lazy("People")),
            Tab("history", gettext_lazy("History")),
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parts = {"overview": self._overview, "changes": self._changes, "history": self._history}
        return super().get_context_data(panels=self._panels(self.tab), **parts.get(self.tab, dict)(), **kwargs)

    def _panels(self, tab: str) -> list[str]:
        found = rendered_panels(self.request, f"model:{tab}", self.object)
        return [render_to_string(panel["template"], panel["context"], self.request) for panel in found]

    def _overview(self) -> dict[str, Any]:
        user = cast(User, self.request.user)
        versions = ModelVersion.objects.allowed(user, VersionRight.VIEW).filter(model=self.object).select_related("parent")
        places, waiting = cockpit.places(user, self.object, self.at), cockpit.waiting_changes(user, self.object)
        health = cockpit.health(user, self.object, self.at)
        return {
            "answer": cockpit.answer(places, waiting, health, self.at),
            "health": health,
            "places": places,
            "waiting": waiting,
            "decisions": cockpit.latest_decisions(user, self.object),
            "versions": versions.order_by("-registered_at")[:MOST_VERSIONS],
            "facts": facts_of(self.object),
            "aside": self._panels("aside"),
        }

    def _changes(self) -> dict[str, Any]:
        rows = self.object.changes.allowed(self.request.user, ChangeRight.VIEW)
        related = ("model", "version", "environment", "region", "owner")
        return {"table": ChangesOfModel(rows.select_related(*related), self.request)}

    def _history(self) -> dict[str, Any]:
        kind, before = self.request.GET.get("kind", ""), self.request.GET.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid(_("The place in the list cannot be read."), field="before", remedy=_("Start again from the top."))
        kind = kind if kind in happened.KINDS else ""
        page = happened.happened(cast(User, self.request.user), self.object, kind=kind, before=int(before) if before else None)
        return {"page_of_history": page, "kinds": happened.KINDS, "kind": kind}


class ChangesOfModel(ChangeTable):
    """The changes of one model."""

    columns = tuple(column for column in ChangeTable.columns if column.name != "model")
    filters = ()
    search = ()
    empty = gettext_lazy("Nothing was ever changed about this model.")


class RegisterVersion(ActionPage):
    """Enter a version by hand, where no pipeline does it."""

    model = RegisteredModel
    right = VersionRight.REGISTER
    form_class = RegisterVersionForm
    submit_label = gettext_lazy("Register")
    success = gettext_lazy("Registered. Attach its evidence next.")
    nav = "model_list"

    def get_title(self) -> str:
        return _("Register a version of %(model)s") % {"model": self.object}

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Models"), reverse("model_list")), Crumb(self.object.name, model_url(self.object))]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"model": self.object}

    def submit(self, form: Any) -> str:
        version = register_version(actor=cast(User, self.request.user), model=self.object, **form.cleaned_data)
        return reverse("version_detail", args=[version.pk])


class VersionPage(ObjectPage):
    """What is this build, what proves it, where may it run?"""

    model = ModelVersion
    right = VersionRight.VIEW
    select_related = ("model__region", "model__family", "parent")
    template_name = "governance/portfolio/version_page.html"
    nav = "model_list"

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.at = timezone.now()
        found = cockpit.places(cast(User, request.user), self.object.model, self.at)
        self.places = [place for place in found if place.version.pk == self.object.pk]

    def get_queryset(self) -> QuerySet[Any]:
        user = self.request.user

        def may(right: str) -> Exists:
            return Exists(ModelVersion.objects.allowed(user, right).filter(pk=OuterRef("pk")))

        rights = {"may_draft": ChangeRight.DRAFT, "may_attach": ArtifactRight.ATTACH, "may_read": ArtifactRight.VIEW}
        rows: QuerySet[Any] = super().get_queryset().annotate(**{name: may(right) for name, right in rights.items()})
        return rows

    def get_title(self) -> str:
        return f"{self.object.model.name} {self.object.label}"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Models"), reverse("model_list")), Crumb(self.object.model.name, model_url(self.object.model))]

    def get_chips(self) -> Iterable[Chip]:
        live = [place for place in self.places if place.deployment is not None]
        yield Chip(_("live"), "good") if live else Chip(_("not live"))
        yield from region_chips(self.object.model.region)

    def get_actions(self) -> Iterable[PageAction]:
        version = self.object
        if version.may_draft:
            yield PageAction(_("Ask to deploy it"), f"{reverse('change_new', args=[version.model_id])}?version={version.pk}", primary=True)
        if version.may_attach:
            yield PageAction(_("Attach evidence"), reverse("evidence_new", args=[version.pk]))
        yield PageAction(_("History"), reverse("history", args=[version._meta.label_lower, version.pk]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = self.object
        facts = [
            (_("Registered"), version.registered_at),
            (_("Made from"), version.parent),
            (_("Artifact"), version.uri),
            (_("Code revision"), version.code_revision),
            (_("Committer"), version.committer),
            (_("Reviewer"), version.reviewer),
            (_("Training run"), version.run),
            (_("Notes"), version.notes),
        ]
        evidence = evidence_of(version) if version.may_read else {}
        return super().get_context_data(facts=[(label, value) for label, value in facts if value], places=self.places, **evidence, **kwargs)


class AttachEvidence(ActionPage):
    """Attach a file to a version; it is read and checked at once."""

    model = ModelVersion
    right = ArtifactRight.ATTACH
    select_related = ("model",)
    form_class = AttachEvidenceForm
    template_name = "governance/portfolio/evidence_new.html"
    submit_label = gettext_lazy("Attach")
    nav = "model_list"

    def get_title(self) -> str:
        return _("Attach evidence to %(model)s %(version)s") % {"model": self.object.model, "version": self.object}

    def get_crumbs(self) -> Iterable[Crumb]:
        version = self.object
        return [Crumb(version.model.name, model_url(version.model)), Crumb(version.label, reverse("version_detail", args=[version.pk]))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(kinds=kinds(), **kwargs)

    def submit(self, form: Any) -> str:
        file = form.cleaned_data["file"]
        self.artifact = attach(
            version=self.object,
            kind=form.cleaned_data["kind"],
            data=file.read(),
            name=file.name,
            media_type=file.content_type or "application/octet-stream",
            actor=cast(User, self.request.user),
            expected_digest=form.cleaned_data["digest"],
        )
        return reverse("version_detail", args=[self.object.pk])

    def get_success(self) -> str:
        if self.artifact.problem:
            return _("Attached, but it counts as not known: %(problem)s") % {"problem": self.artifact.problem}
        return _("Attached and read.") if self.artifact.reader else _("Attached.")


class MyModels(ListPage):
    """For which models do I hold a role?"""

    model = RegisteredModel
    right = ModelRight.VIEW
    nav = "my_models"
    template_name = "portal/list.html"

    class Table(ModelTable):
        """With what one is to each of them."""

        name = "my-models"
        empty = gettext_lazy("You hold no role on any model.")

    table = Table

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.held = mine.Held(cast(User, request.user), timezone.now())

    def get_title(self) -> str:
        return (
            _("Your models, as %(roles)s") % {"roles": ", ".join(self.held.roles)}
            if self.held.roles
            else _("You hold no role on any model")
        )

    def get_queryset(self) -> QuerySet[Any]:
        return listed(super().get_queryset().filter(self.held.q))
