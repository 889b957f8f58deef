"""Forms of the cockpit; each field is one argument of a verb."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.evidence.readers import kinds
from stewardship.inventory.models import ModelVersion, RegisteredModel


class RegisterVersionForm(forms.Form):
    """A build that no pipeline has registered."""

    label = forms.CharField(label=_("Version"), max_length=80, help_text=_("As people call it, for example 1.2.0."))
    digest = forms.CharField(
        label=_("Digest of the artifact"),
        max_length=71,
        help_text=_("SHA-256 in hex, as “sha256sum model.bin” prints it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    parent: forms.ModelChoiceField[ModelVersion] = forms.ModelChoiceField(
        label=_("Made from"), queryset=ModelVersion.objects.none(), required=False
    )
    uri = forms.CharField(label=_("Where the artifact lies"), max_length=500, required=False)
    code_revision = forms.CharField(label=_("Code revision"), max_length=120, required=False)
    committer = forms.CharField(label=_("Committer"), max_length=200, required=False)
    reviewer = forms.CharField(label=_("Reviewer of the code"), max_length=200, required=False)
    run = forms.CharField(label=_("Training run"), max_length=200, required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = model.versions.order_by("-registered_at")  # type: ignore[attr-defined]


class AttachEvidenceForm(forms.Form):
    """A file that says something about a version."""

    kind = forms.CharField(label=_("Kind"), max_length=40, widget=forms.TextInput(attrs={"list": "evidence-kinds", "autocomplete": "off"}))
    file = forms.FileField(label=_("File"), allow_empty_file=True)
    digest = forms.CharField(
        label=_("Digest of the file"),
        max_length=80,
        required=False,
        help_text=_("SHA-256 in hex. When it is given, a file that arrives damaged is refused."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].help_text = _("%(kinds)s are read and checked; any other kind is kept as it is.") % {
            "kinds": ", ".join(kinds())
        }
