"""A model's dossier: read it, as of any day; compare two revisions; write it; take it away as Markdown or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.chips import Chip
from config.portal.diff import SectionDiff
from config.portal.errors import Invalid, Missing
from config.portal.pages import ActionPage, Crumb, ObjectPage, PageAction, Text
from stewardship.access import allowed_to, require
from stewardship.dossiers import card, rules
from stewardship.dossiers.forms import DossierForm
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.dossiers.read import dossier_of, read
from stewardship.dossiers.revise import revise
from stewardship.dossiers.rights import DossierRight
from stewardship.inventory.models import RegisteredModel
from stewardship.journal import canonical

SHOWN_REVISIONS = 20


def as_of(request: HttpRequest) -> datetime | None:
    """The end of the day in `?as_of=YYYY-MM-DD`, in the person's zone; raises Invalid for what is no day."""
    text = request.GET.get("as_of", "")
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Invalid(_("'%s' is no day.") % text[:20], field="as_of", remedy=_("Write it as 2026-11-22."))
    return timezone.make_aware(datetime.combine(day, time.max))


class DossierEdit(ActionPage):
    """The dossier, and under it the form with which it is revised."""

    model = RegisteredModel
    select_related = ("region",)
    right = DossierRight.VIEW
    form_class = DossierForm
    template_name = "stewardship/dossiers/dossier_page.html"
    submit_label = gettext_lazy("Save as a new revision")

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.at = as_of(request)
        self.slug = request.GET.get("template", "")
        templates = Template.objects.for_region(self.object.region)
        self.dossier_template = templates.get(self.slug) if self.slug else next(iter(templates.values()), None)
        # The template was just found; asking for the dossier by its slug saves looking for it again.
        self.dossier = dossier_of(self.object, self.slug or (self.dossier_template.slug if self.dossier_template else ""))
        self.revision = self.dossier.as_of(self.at) if self.dossier else None

    def get_title(self) -> Text:
        if self.dossier_template is None and self.revision is None:
            return str(_("No dossier template is in use for %s") % self.object.region)
        if self.revision is None:
            return str(_("The dossier of %s has not been begun") % self.object)
        found = self.revision.completeness(self.at or timezone.now())
        if found.missing or found.stale:
            return _("%(model)s: %(share)d %% of the dossier is complete") % {"model": self.object, "share": found.share * 100}
        return str(_("%s: the dossier is complete") % self.object)

    def get_crumbs(self) -> Iterable[Crumb]:
        yield Crumb(gettext_lazy("Models"), reverse("model_list"))
        yield Crumb(self.object.name, reverse("model_detail", args=[self.object.pk]))

    def get_chips(self) -> Iterable[Chip]:
        if self.revision is not None:
            yield Chip(_("Revision %d") % self.revision.number)
            if self.revision.version is not None:
                yield Chip(_("describes %s") % self.revision.version.label)
        if self.at is not None:
            yield Chip(_("as of %s") % f"{timezone.localtime(self.at):%Y-%m-%d}", "watch")

    def get_actions(self) -> Iterable[PageAction]:
        if self.revision is not None:
            yield PageAction(_("Markdown"), reverse("dossier_markdown", args=[self.object.pk]) + self._query())
            yield PageAction(_("JSON"), reverse("dossier_json", args=[self.object.pk]) + self._query())

    def _query(self) -> str:
        query = self.request.GET.urlencode()
        return f"?{query}" if query else ""

    def get_form_kwargs(self) -> dict[str, Any]:
        sections = self.dossier_template.sections if self.dossier_template else []
        return super().get_form_kwargs() | {"sections": sections, "content": self.revision.content if self.revision else {}}

    def get_initial(self) -> dict[str, Any]:
        return {"based_on": self.revision.number if self.revision else 0}

    def submit(self, form: DossierForm) -> str:
        revise(
            self.object,
            actor=self.request.user,  # type: ignore[arg-type]  # signed in, as check() demanded
            reason=form.cleaned_data["reason"],
            edits=form.edits(),
            slug=self.slug,
            based_on=form.cleaned_data["based_on"],
        )
        return self.request.get_full_path()

    def get_success(self) -> str:
        return _("Saved as a new revision.")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require(request.user, DossierRight.REVISE, self.object)
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = self.at or timezone.now()
        return super().get_context_data(
            revision=self.revision,
            sections=read(self.revision, now) if self.revision else [],
            completeness=self.revision.completeness(now) if self.revision else None,
            revisions=list(self.dossier.revisions.select_related("version").order_by("-number")[:SHOWN_REVISIONS]) if self.dossier else [],
            may_revise=self.at is None
            and self.dossier_template is not None
            and allowed_to(self.request.user, DossierRight.REVISE, self.object),
            **kwargs,
        )


class DossierDiff(ObjectPage):
    """What changed between two revisions: `?from=1&to=3`, by default the last two."""

    model = RegisteredModel
    select_related = ("region",)
    right = DossierRight.VIEW
    template_name = "stewardship/dossiers/diff_page.html"

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        dossier = dossier_of(self.object, request.GET.get("template", ""))
        latest = dossier.as_of() if dossier else None
        if dossier is None or latest is None:
            raise Missing(_("This model has no dossier yet."), remedy=_("Begin it on the dossier page."))
        self.new = self._revision(dossier, "to", latest.number)
        self.old = self._revision(dossier, "from", max(self.new.number - 1, 1))

    def _revision(self, dossier: Dossier, name: str, default: int) -> Revision:
        text = self.request.GET.get(name, "") or str(default)
        found: Revision | None = (
            dossier.revisions.select_related("template").filter(number=int(text)).first() if text.isascii() and text.isdigit() else None
        )
        if found is None:
            raise Missing(_("There is no revision %s.") % text[:20], remedy=_("Choose one on the dossier page."))
        return found

    def get_title(self) -> str:
        return _("What changed from revision %(old)d to %(new)d") % {"old": self.old.number, "new": self.new.number}

    def get_crumbs(self) -> Iterable[Crumb]:
        yield Crumb(self.object.name, reverse("model_detail", args=[self.object.pk]))
        yield Crumb(_("Dossier"), reverse("dossier_edit", args=[self.object.pk]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        changed = rules.diff(self.new.template.sections, self.old.content, self.new.content)
        return super().get_context_data(old=self.old, new=self.new, changes=[_sides(one) for one in changed], **kwargs)


def _sides(one: rules.Changed) -> SectionDiff:
    tags = {"delete": "<del>{}</del>", "insert": "<ins>{}</ins>", "equal": "{}"}
    old, new = (
        format_html_join("", "{}", ((format_html(tags[kind], text),) for kind, text in one.parts if kind != other))
        for other in ("insert", "delete")
    )
    return SectionDiff(f"{one.section}: {one.title}" if one.section else one.title, True, old, new)


class DossierCard(ObjectPage):
    """The dossier as a file; `?as_of=` and `?template=` as on the page."""

    abstract = True
    model = RegisteredModel
    select_related = ("region",)
    right = DossierRight.VIEW
    media_type = ""
    suffix = ""

    def render(self, revision: Revision, at: datetime) -> bytes:
        """The file's bytes."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        at = as_of(request)
        dossier = dossier_of(self.object, request.GET.get("template", ""))
        revision = dossier.as_of(at) if dossier else None
        if revision is None:
            raise Missing(_("This model had no dossier then."), remedy=_("Choose another day, or begin the dossier."))
        response = HttpResponse(self.render(revision, at or timezone.now()), content_type=self.media_type)
        response["Content-Disposition"] = f'attachment; filename="{self.object.slug}-{revision.number}.{self.suffix}"'
        return response


class DossierMarkdown(DossierCard):
    """A Markdown model card."""

    media_type, suffix = "text/markdown; charset=utf-8", "md"

    def render(self, revision: Revision, at: datetime) -> bytes:
        return card.markdown(revision, at).encode()


class DossierJson(DossierCard):
    """The content with its digest, as canonical JSON."""

    media_type, suffix = "application/json", "json"

    def render(self, revision: Revision, at: datetime) -> bytes:
        return canonical.dump(card.document(revision, at))
