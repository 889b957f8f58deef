"""Configuration of policies: drafts are written here with a preview; what is published is only read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin
from config.portal.errors import DomainError
from config.portal.inlines import GovernedCards
from governance.policies.draft import next_version
from governance.policies.models import Evaluation, Policy, PolicyVersion, Rule, Verdict, Waiver
from governance.policies.preview import preview
from governance.policies.rights import EvaluationRight, PolicyRight, WaiverRight
from stewardship.people.models import User

_RIGHTS = {"view": PolicyRight.VIEW, "change": PolicyRight.CONFIGURE}


def each(model_admin: GovernedAdmin, request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object]) -> None:
    """Call a verb on every chosen row; each refusal becomes a message of its own."""
    for one in rows:
        try:
            verb(one)
            model_admin.message_user(request, _("%s: done.") % one)
        except DomainError as error:
            model_admin.message_user(request, f"{one}: {error.message} {error.remedy}".strip(), messages.ERROR)


def would_have_changed(version: PolicyVersion, user: User) -> SafeString:
    """How many of the latest evaluations would have come out otherwise with these rules, and which."""
    found = preview(version, user=user)
    text = _("Against the last %(of)d evaluations that you may see, %(n)d would have changed.") % {
        "n": len(found.changed),
        "of": found.judged,
    }
    rows = ((one.evaluation.model, one.evaluation.get_verdict_display(), Verdict(one.verdict).label) for one in found.changed)
    return format_html("{} {}", text, format_html_join("; ", "{}: {} → {}", rows))


@admin.register(Policy)
class PolicyAdmin(GovernedAdmin):
    """A policy; its rules stand in its versions."""

    rights = _RIGHTS
    list_display = ("name", "slug", "region")
    list_select_related = ("region",)
    search_fields = ("name", "slug")
    actions = ("draft_next",)

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:
        """What findings, waivers and permits name does not move once a version was published."""
        return ("slug", "region") if obj is not None and obj.was_published else ()

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        """A new policy begins with an empty draft."""
        super().save_model(request, obj, form, change)
        if not change:
            PolicyVersion(policy=obj, number=1).save()

    @admin.action(description=gettext_lazy("Draft the next version"), permissions=["change"])
    def draft_next(self, request: HttpRequest, rows: QuerySet[Policy]) -> None:
        each(self, request, rows, lambda one: next_version(one, actor=request.user))  # type: ignore[arg-type]  # signed in


class RuleInline(GovernedCards):
    """The rules of a version; those of a published one cannot be changed."""

    model = Rule
    also_related = ("version__policy",)
    fields = ("order", "key", "title", "severity", "applies_when", "expression")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.is_draft) and super().has_add_permission(request, obj)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(GovernedAdmin):
    """One numbered text; the preview says what it would have changed."""

    rights = _RIGHTS
    list_display = ("policy", "number", "status", "effective_from", "effective_until")
    list_select_related = ("policy",)
    list_filter = ("status",)
    fields = ("policy", "number", "status", "effective_from", "effective_until", "notes")
    inlines = (RuleInline,)
    actions = ("publish", "retire")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # versions are drafted from their policy

    def get_readonly_fields(self, request: HttpRequest, obj: PolicyVersion | None = None) -> tuple[str, ...]:
        """Notes of a draft are written; everything else moves by verbs."""
        fixed = ("policy", "number", "status", "effective_from", "effective_until")
        return fixed if obj is None or obj.is_draft else (*fixed, "notes")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Above a draft stands what it would have changed."""
        version = self.get_object(request, unquote(object_id))
        if request.method == "GET" and version is not None and version.is_draft:
            self.message_user(request, would_have_changed(version, request.user))  # type: ignore[arg-type]  # signed in
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.action(description=gettext_lazy("Publish, from now on"), permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[PolicyVersion]) -> None:
        each(self, request, rows, lambda one: one.publish(actor=request.user, reason=_("Published in the configuration")))

    @admin.action(description=gettext_lazy("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, rows: QuerySet[PolicyVersion]) -> None:
        each(self, request, rows, lambda one: one.retire(actor=request.user, reason=_("Retired in the configuration")))


@admin.register(Rule)
class RuleAdmin(GovernedAdmin):
    """One rule with everything it says."""

    rights = _RIGHTS
    list_display = ("key", "version", "severity", "title")
    list_select_related = ("version__policy",)
    list_filter = ("severity", "version__status")
    search_fields = ("key", "title", "expression")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # rules are added to a draft

    def has_change_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return (obj is None or obj.version.is_draft) and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> tuple[str, ...]:
        return ("version",)


@admin.register(Evaluation)
class EvaluationAdmin(GovernedAdmin):
    """What was judged, only read."""

    rights = {"view": EvaluationRight.VIEW}
    list_display = ("at", "subject_kind", "model", "region", "verdict")
    list_select_related = ("model", "region")
    list_filter = ("verdict", "subject_kind")


@admin.register(Waiver)
class WaiverAdmin(GovernedAdmin):
    """Exceptions, granted by approved changes and ended here."""

    rights = {"view": WaiverRight.VIEW, "end": WaiverRight.END}
    list_display = ("rule", "model", "region", "granted_at", "expires_at", "ended_at")
    list_select_related = ("model", "region")
    search_fields = ("rule", "model__name")
    actions = ("end",)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Asked by the action below."""
        return self._may(request, "end", None)

    @admin.action(description=gettext_lazy("End now"), permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[Waiver]) -> None:
        each(self, request, rows, lambda one: one.end(actor=request.user, reason=_("Ended in the configuration")))
