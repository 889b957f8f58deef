"""Forms of changes: what a person fills in, and the decision with its proof of who decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.portal.errors import Invalid
from governance.changes import criteria
from governance.changes.models import ChangeRequest, Kind
from governance.changes.traced import OriginKind
from monitoring.signals.models import Metric
from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight
from stewardship.signing.forms import CredentialMixin

# title, help, fields
Section = tuple[Any, Any, tuple[str, ...]]
SECTIONS: tuple[Section, ...] = (
    (_("What"), "", ("kind", "version", "environment", "region", "title")),
    (_("Why"), "", ("rationale", "origin_kind", "origin_reference", "observed_shifts")),
    (_("How"), "", ("rollout_plan", "release_notes")),
    (_("How to get back"), "", ("rollback_version", "watch_days", "rollback_trigger", "rollback_criteria", "rollback_steps")),
    (_("What was weighed"), "", ("policy_considerations", "ethical_considerations", "tradeoffs", "testing_protocol")),
)
FOLDED: Section = (
    _("Waiver"),
    _("Only for a change of the kind “waiver”."),
    ("waived_rule", "compensating_control", "waiver_until"),
)
SOME = 12  # metrics named as examples
TWO_ROWS, FOUR_ROWS = {"rows": 2}, {"rows": 4}


class LinesField(forms.CharField):
    """A list of entries, one a line; each line becomes an entry under `name`."""

    widget = forms.Textarea(attrs=FOUR_ROWS)

    def __init__(self, *, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[dict[str, str]]:
        return [{self.name: line.strip()} for line in str(super().clean(value) or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(": ".join(str(part) for part in row.values()) if isinstance(row, dict) else str(row) for row in value)
        return value


class CriteriaField(forms.CharField):
    """Rollback criteria, one a line; each is checked against the catalogue."""

    widget = forms.Textarea(attrs=TWO_ROWS)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        try:
            return criteria.checked(criteria.read(str(super().clean(value) or "")))
        except Invalid as refusal:
            raise forms.ValidationError(f"{refusal.message} {refusal.remedy}".strip()) from refusal

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(criteria.written(value)) if isinstance(value, list) else value


class ChangeForm(forms.Form):
    """What is asked, why, how it is carried out and how one gets back."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices)
    version = forms.ModelChoiceField(ModelVersion.objects.none(), label=_("Version that should run"), required=False)
    environment = forms.ModelChoiceField(Environment.objects.none(), label=_("Environment"), required=False)
    region: Any = forms.ModelChoiceField(Region.objects.none(), label=_("Region"))
    title = forms.CharField(label=_("Title"), max_length=160, required=False, help_text=_("Left empty, it is made from the rest."))
    rationale = forms.CharField(label=_("Why"), widget=forms.Textarea(attrs=FOUR_ROWS), required=False)
    origin_kind = forms.ChoiceField(
        label=_("It comes from"), choices=[("", _("nothing in particular")), *OriginKind.choices], required=False
    )
    origin_reference = forms.CharField(
        label=_("Which one"),
        max_length=300,
        required=False,
        help_text=_("The address of its page, or the number of a change; of a review, a law or anything else its name."),
    )
    observed_shifts = forms.CharField(label=_("Observed data shifts"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    policy_considerations = forms.CharField(label=_("Policy considerations"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    ethical_considerations = forms.CharField(label=_("Ethical considerations"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    tradeoffs = LinesField(name="text", label=_("Trade-offs"), help_text=_("One a line: what was compared, and who accepted which loss."))
    testing_protocol = LinesField(name="test", label=_("Tests"), help_text=_("One a line: back-test, bias, privacy, security, stress …"))
    rollout_plan = forms.CharField(label=_("Roll-out plan"), widget=forms.Textarea(attrs=FOUR_ROWS), required=False)
    rollback_version = forms.ModelChoiceField(ModelVersion.objects.none(), label=_("Version to go back to"), required=False)
    rollback_trigger = forms.CharField(
        label=_("What makes us go back"),
        widget=forms.Textarea(attrs=TWO_ROWS),
        required=False,
        help_text=_("Measurable, e.g. recall below 0.85."),
    )
    rollback_criteria = CriteriaField(
        label=_("Criteria to be watched"),
        required=False,
        help_text=_("One a line, e.g. recall below 0.85. After the deployment each is watched; beyond it, going back is drafted."),
    )
    rollback_steps = forms.CharField(label=_("How to go back"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    release_notes = forms.CharField(label=_("Release notes"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    watch_days = forms.IntegerField(label=_("Watch period"), min_value=0, max_value=365, initial=7)
    waived_rule = forms.CharField(
        label=_("Rule to waive"),
        max_length=130,
        required=False,
        help_text=_("Only for a waiver; written policy/rule, as findings show it."),
    )
    compensating_control = forms.CharField(label=_("What protects people meanwhile"), widget=forms.Textarea(attrs=TWO_ROWS), required=False)
    waiver_until = forms.DateTimeField(
        label=_("Waiver until"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    def __init__(self, *args: Any, model: RegisteredModel, user: User, change: ChangeRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = model.versions.order_by("-registered_at")
        for name in ("version", "rollback_version"):
            self._choices(name, versions)
        self._choices("environment", Environment.objects.order_by("order"))
        self._choices("region", Region.objects.allowed(user, RegionRight.VIEW))
        self.fields["watch_days"].unit = _("days")  # type: ignore[attr-defined]  # the shell shows it inside the field
        field = self.fields["rollback_criteria"]
        if known := list(Metric.objects.values_list("slug", flat=True)[:SOME]):
            field.help_text = f"{field.help_text} {_('Metrics: %(names)s') % {'names': ', '.join(known)}}"
        if change is not None:
            self.fields["kind"].disabled = True

    def _choices(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def sections(self) -> Iterator[dict[str, Any]]:
        """The fields in the order in which people think; what only a waiver needs is folded away until it is one."""
        for title, help_text, names in SECTIONS:
            yield {"title": title, "help": help_text, "fields": [self[name] for name in names], "folded": None}
        title, help_text, names = FOLDED
        wanted = self["kind"].value() == Kind.WAIVER or any(self[name].errors for name in names)
        yield {"title": title, "help": help_text, "fields": [self[name] for name in names], "folded": not wanted}

    def values(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields of the change and of its plan, as the verbs take them."""
        found = dict(self.cleaned_data)
        plan = {
            "target_version": found.pop("rollback_version"),
            "trigger": found.pop("rollback_trigger"),
            "steps": found.pop("rollback_steps"),
            "criteria": found.pop("rollback_criteria"),
        }
        return found, plan


def initial_of(change: ChangeRequest) -> dict[str, Any]:
    """A change as the form shows it."""
    plan = getattr(change, "rollback", None)
    found = {name: getattr(change, name) for name in ChangeForm.base_fields if hasattr(change, name)}
    if change.waiver_until is not None:
        found["waiver_until"] = timezone.localtime(change.waiver_until)
    if plan is not None:
        found |= {"rollback_version": plan.target_version, "rollback_trigger": plan.trigger}
        found |= {"rollback_criteria": plan.criteria, "rollback_steps": plan.steps}
    return found


class DecisionForm(CredentialMixin, forms.Form):
    """A comment, the digest of what was shown, and proof of who decides."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    comment = forms.CharField(
        label=_("Comment"),
        widget=forms.Textarea(attrs=TWO_ROWS),
        required=False,
        max_length=4000,
        help_text=_("Needed to return or reject."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask(user)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs=TWO_ROWS), max_length=2000)
