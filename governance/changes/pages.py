"""Pages of changes: the list, the forms, and the review on which people decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal import diff
from config.portal.chips import Chip
from config.portal.errors import DomainError, Invalid, Missing
from config.portal.pages import ActionPage, Crumb, FormPage, ListPage, ObjectPage, PageAction, Tab, attach
from config.portal.periods import quarter_began
from config.portal.permission import holds
from config.portal.tables import Column, Filter, Table
from governance.approvals import review
from governance.approvals.decide import decide
from governance.approvals.rights import DecisionRight
from governance.approvals.submit import submit
from governance.approvals.waiting import asked_of
from governance.approvals.who import why_not
from governance.changes.criteria import written
from governance.changes.draft import draft
from governance.changes.files import files
from governance.changes.forms import ChangeForm, DecisionForm, ReasonForm, initial_of
from governance.changes.looks import LastLook
from governance.changes.models import EDITABLE, ChangeQuerySet, ChangeRequest, Kind, Status
from governance.changes.rights import ChangeRight
from governance.changes.rules import needs
from governance.changes.shown import change_url, status_chip, what, where, written_facts
from governance.changes.traced import page_of
from governance.gate.panels import gate_says
from stewardship.access.reach import tree_of
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from stewardship.regions.listing import region_filter
from stewardship.regions.panels import region_chips
from stewardship.signing.mint import mint
from stewardship.signing.session import signing_session
from stewardship.threads.pages import thread_context
from stewardship.threads.rights import ThreadRight

OF_CHANGE = (
    "model__region",
    "model__family",
    "version",
    "environment",
    "region",
    "owner",
    "drafted_by",
    "submitted_by",
    "rollback__target_version",
)


def _this_quarter(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(decided_at__gte=quarter_began(timezone.now()))


class ChangeTable(Table):
    """One row per change."""

    columns: ClassVar[Sequence[Column]] = (
        Column("number", gettext_lazy("Change"), value=what, link=change_url, order="number", wide=True),
        Column("status", gettext_lazy("Status"), value=status_chip, export=lambda change: change.status),
        Column("kind", gettext_lazy("Kind"), value=lambda change: change.get_kind_display()),
        Column("model", gettext_lazy("Model"), value="model__name"),
        Column("where", gettext_lazy("Where"), value=where),
        Column("owner", gettext_lazy("Owner"), value=lambda change: str(change.owner)),
        Column("drafted_at", gettext_lazy("Opened"), order="drafted_at"),
    )
    filters: ClassVar[Sequence[Filter]] = (
        Filter("status", gettext_lazy("Status"), choices=Status.choices),
        Filter("kind", gettext_lazy("Kind"), choices=Kind.choices),
        region_filter(ChangeRight.VIEW),
        Filter("decided", gettext_lazy("Decided"), choices=[("quarter", gettext_lazy("this quarter"))], apply=_this_quarter),
    )
    ordering = ("-number",)
    search: ClassVar[tuple[str, ...]] = ("title__icontains", "model__name__icontains", "model__slug__icontains")
    name = "changes"
    caption = gettext_lazy("Changes")
    empty = gettext_lazy("Here will be every change that you may see.")


class ChangeList(ListPage):
    """Which changes wait for me, which are mine, and all of them."""

    model = ChangeRequest
    right = ChangeRight.VIEW
    title = gettext_lazy("Changes")
    nav = "change_list"
    table = ChangeTable
    template_name = "governance/changes/change_list.html"
    tabs = (Tab("waiting", gettext_lazy("Waiting for me")), Tab("mine", gettext_lazy("Mine")), Tab("all", gettext_lazy("All")))

    @property
    def tab(self) -> str:
        # A person who is never asked to decide begins with all of them.
        wanted = self.request.GET.get("tab", "")
        if wanted in {"waiting", "mine", "all"}:
            return wanted
        return "waiting" if holds(self.request.user, DecisionRight.MAKE) else "all"

    def get_queryset(self) -> QuerySet[Any]:
        rows = cast(ChangeQuerySet, super().get_queryset()).select_related("model", "version", "environment", "region", "owner")
        user = cast(User, self.request.user)
        if self.tab == "waiting":
            return rows.filter(pk__in=[change.pk for change, _requirement in asked_of(user, timezone.now())])
        return rows.of_person(user) if self.tab == "mine" else rows


# What a link to the form may say already.
GIVEN = ("kind", "version", "environment", "region", "origin_kind", "origin_reference")


class ChangeNew(FormPage):
    """Open a change of a model."""

    right = ChangeRight.DRAFT
    title = gettext_lazy("Open a change")
    submit_label = gettext_lazy("Save as draft")
    template_name = "governance/changes/change_new.html"
    form_class = ChangeForm
    nav = "change_list"
    subject: RegisteredModel

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        found = (
            RegisteredModel.objects.allowed(request.user, ChangeRight.DRAFT).select_related("region").filter(pk=self.kwargs["pk"]).first()
        )
        if found is None:
            raise Missing(_("There is no such model, or none that you may change."), remedy=_("Choose one from the register."))
        self.subject = found

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Models"), reverse("model_list")), Crumb(self.subject.name, reverse("model_detail", args=[self.subject.pk]))]

    def get_initial(self) -> dict[str, Any]:
        newest = self.subject.versions.order_by("-registered_at").first()
        given = {name: self.request.GET[name] for name in GIVEN if name in self.request.GET}
        return {"kind": Kind.DEPLOYMENT, "version": newest, "region": self.subject.region_id, **given}

    def get_form(self) -> ChangeForm:
        return ChangeForm(**self.get_form_kwargs(), model=self.subject, user=cast(User, self.request.user))

    def submit(self, form: Any) -> str:
        fields, plan = form.values()
        change = draft(actor=cast(User, self.request.user), model=self.subject, rollback=plan, **fields)
        messages.success(self.request, _("%(change)s is drafted. Look it over, then submit it.") % {"change": change.reference})
        return change.get_absolute_url()


class ChangeEdit(ActionPage):
    """Edit what a change asks for; in review this dismisses what has been decided."""

    right = ChangeRight.DRAFT
    model = ChangeRequest
    select_related = OF_CHANGE
    title = gettext_lazy("Edit the change")
    submit_label = gettext_lazy("Save")
    template_name = "governance/changes/change_edit.html"
    nav = "change_list"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Changes"), reverse("change_list")), Crumb(self.object.reference, self.object.get_absolute_url())]

    def get_form(self) -> ChangeForm:
        kwargs = self.get_form_kwargs() | {"initial": initial_of(self.object)}
        return ChangeForm(**kwargs, model=self.object.model, user=cast(User, self.request.user), change=self.object)

    def submit(self, form: Any) -> str:
        fields, plan = form.values()
        fields.pop("kind")
        fields["title"] = fields["title"] or self.object.title
        was_in_review = self.object.status == Status.SUBMITTED
        self.object.edit(actor=cast(User, self.request.user), rollback=plan, **fields)
        said = _("Saved. Everybody who had decided is asked again.") if was_in_review else _("Saved.")
        messages.success(self.request, said)
        return str(self.object.get_absolute_url())


class ChangeSubmit(ObjectPage):
    """Put a change before those who must agree."""

    right = ChangeRight.SUBMIT
    model = ChangeRequest
    select_related = OF_CHANGE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            route = submit(self.object, actor=cast(User, request.user))
        except DomainError as error:
            messages.error(request, f"{error.message} {error.remedy}".strip())
        else:
            said = (
                _("Submitted. Those who must agree have been told.") if route.human else _("Approved without a person, as the rule allows.")
            )
            messages.success(request, said)
        return HttpResponseRedirect(self.object.get_absolute_url())


class ChangeWithdraw(ActionPage):
    """Take a change back."""

    right = ChangeRight.WITHDRAW
    model = ChangeRequest
    title = gettext_lazy("Withdraw this change?")
    submit_label = gettext_lazy("Withdraw")
    success = gettext_lazy("Withdrawn.")
    form_class = ReasonForm
    danger = True
    nav = "change_list"

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Changes"), reverse("change_list")), Crumb(str(self.object), self.object.get_absolute_url())]

    def submit(self, form: Any) -> str:
        self.object.withdraw(actor=cast(User, self.request.user), reason=form.cleaned_data["reason"])
        return str(self.object.get_absolute_url())


class ChangeDetail(ObjectPage):
    """Everything an approver needs to decide, on one page, in the manner of a pull request."""

    right = ChangeRight.VIEW
    model = ChangeRequest
    select_related = OF_CHANGE
    template_name = "governance/changes/change_detail.html"
    nav = "change_list"

    def get_queryset(self) -> QuerySet[Any]:
        """With what this person may do and when they looked last, all in the statement that finds it."""
        user = cast(User, self.request.user)

        def may(right: str) -> Exists:
            return Exists(ChangeRequest.objects.allowed(user, right).filter(pk=OuterRef("pk")))

        looks = LastLook.objects.filter(change=OuterRef("pk"), user=user)
        rows: QuerySet[Any] = (
            super()
            .get_queryset()
            .annotate(
                may_draft=may(ChangeRight.DRAFT),
                may_submit=may(ChangeRight.SUBMIT),
                may_withdraw=may(ChangeRight.WITHDRAW),
                may_decide=may(DecisionRight.MAKE),
                may_comment=Exists(RegisteredModel.objects.allowed(user, ThreadRight.COMMENT).filter(pk=OuterRef("model"))),
                looked_at=Subquery(looks.values("at")[:1]),
                looked_revision=Subquery(looks.values("revision")[:1]),
            )
        )
        return rows

    def get_crumbs(self) -> Iterable[Crumb]:
        return [
            Crumb(_("Changes"), reverse("change_list")),
            Crumb(self.object.model.name, reverse("model_detail", args=[self.object.model_id])),
        ]

    def get_chips(self) -> Iterable[Chip]:
        change = self.object
        yield status_chip(change)
        yield Chip(change.get_kind_display())
        yield Chip(_("tier %(tier)s") % {"tier": change.model.tier}) if change.model.tier else Chip(_("no tier"), "unknown")
        if change.environment is not None:
            yield Chip(change.environment.name, "watch" if change.environment.production else "neutral", "none", is_name=True)
        yield from region_chips(change.region)

    def get_actions(self) -> Iterable[PageAction]:
        change = self.object
        if change.status in EDITABLE and change.may_draft:
            yield PageAction(_("Edit"), reverse("change_edit", args=[change.pk]))
        if change.status in (Status.DRAFT, Status.SUBMITTED, Status.RETURNED) and change.may_withdraw:
            yield PageAction(_("Withdraw"), reverse("change_withdraw", args=[change.pk]))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Decide: prove who you are and sign, in one step."""
        user = cast(User, request.user)
        form = DecisionForm(request.POST, user=user)
        if form.is_valid():
            try:
                self._decide(user, form)
            except DomainError as error:
                attach(form, error)
            else:
                self.object.refresh_from_db()
                messages.success(
                    request, _("Your decision is signed. The change is now: %(status)s.") % {"status": self.object.get_status_display()}
                )
                return HttpResponseRedirect(self.object.get_absolute_url())
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _decide(self, user: User, form: DecisionForm) -> None:
        given = form.cleaned_data
        session, outcome, digest = signing_session(self.request), self.request.POST.get("outcome", ""), given["digest"]
        if outcome not in {"approve", "return", "reject"} or "credential" not in given:
            raise Invalid(_("Choose Approve, Return or Reject."), field="outcome")
        token = mint(
            user=user, session_key=session, subject_kind="change", subject_id=self.object.pk, digest=digest, meaning=outcome,
            method=given["method"], credential=given["credential"],
        )  # fmt: skip
        decide(self.object, actor=user, outcome=outcome, comment=given["comment"], digest=digest, token=token, session_key=session)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, change, at = cast(User, self.request.user), self.object, timezone.now()
        for region in (change.region, change.model.region):
            region.learn_way(tree_of(user))
        seen = review.read(change, at)
        LastLook.note(change, user, at, known=change.looked_at is not None)
        return super().get_context_data(
            headline=str(change),
            seen=seen,
            answer=review.answer(seen),
            gate=gate_says(change, at),
            if_nothing=review.if_nothing_is_done(seen),
            facts=written_facts(change),
            origin_page=page_of(change.origin_kind, change.origin_id),
            wants_way_back=needs(change.kind, "rollback"),
            criteria=written(change.rollback.criteria) if hasattr(change, "rollback") else [],
            watched_until=change.implemented_at + timedelta(days=change.watch_days) if change.implemented_at else None,
            evidence=files(change, user),
            findings=seen.findings,
            news=_news(seen, change.looked_at, change.looked_revision),
            revisions=_revisions(seen),
            bar=self._bar(user, seen, kwargs.pop("form", None)),
            can_submit=change.status in (Status.DRAFT, Status.RETURNED) and change.may_submit,
            **thread_context(self.request, "change", change.pk, region=change.region, model=change.model, may_comment=change.may_comment),
            **kwargs,
        )

    def _bar(self, user: User, seen: review.Review, form: DecisionForm | None) -> dict[str, Any] | None:
        change = self.object
        if change.status != Status.SUBMITTED or not holds(user, DecisionRight.MAKE):
            return None
        reason = why_not(user, change, seen.active.seats if seen.active else (), may=change.may_decide)
        if not reason:
            form = form or DecisionForm(initial={"digest": change.content_digest}, user=user)
            reason = str(form.no_method)
        return {
            "disabled": reason,
            "url": change.get_absolute_url(),
            "sentence": review.sentence_to_sign(change),
            "digest": change.content_digest,
            "form": form,
            "choices": [
                {"value": "approve", "label": _("Approve"), "tone": "primary"},
                {"value": "return", "label": _("Return"), "tone": ""},
                {"value": "reject", "label": _("Reject"), "tone": "danger"},
            ],
        }


def _news(seen: review.Review, looked_at: datetime | None, revision: int | None) -> dict[str, Any] | None:
    """What happened since this person looked last, or None when nothing did."""
    if looked_at is None or revision is None:
        return None
    decisions = [each for each in seen.decisions if each.at > looked_at]
    old = next((each.content for each in seen.revisions if each.number == revision), None)
    new = seen.revisions[-1].content if seen.revisions and seen.revisions[-1].number > revision else None
    changed = [each for each in diff.sections(_readable(old), _readable(new)) if each.changed] if old and new else []
    return {"since": looked_at, "decisions": decisions, "sections": changed} if decisions or changed else None


def _revisions(seen: review.Review) -> list[dict[str, Any]]:
    """Each revision after the first with what it changed, the newest first."""
    pairs = zip(seen.revisions, seen.revisions[1:], strict=False)
    return [
        {"revision": new, "sections": [each for each in diff.sections(_readable(old.content), _readable(new.content)) if each.changed]}
        for old, new in reversed(list(pairs))
    ]


def _readable(content: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", " ").capitalize(): value for name, value in content.items() if name not in ("revision", "reference")}
