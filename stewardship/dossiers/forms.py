"""The written blocks of a dossier as one form; a field's name is its block's address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stewardship.dossiers import rules


class DossierForm(forms.Form):
    """One text area per written block. Only what was changed, or marked as looked at, becomes an edit."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("What changed and why. It is kept in the history and the journal."), required=True
    )

    def __init__(self, *args: Any, sections: list[dict[str, Any]], content: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = content.get("blocks", {})
        self.written = {address: (section, block) for address, section, block in rules.blocks(sections) if rules.is_written(block)}
        for address, (section, block) in self.written.items():
            is_list = block["type"] == "list"
            help_text = block.get("help", "") or (_("One per line.") if is_list else "")
            self.fields[address] = forms.CharField(
                label=f"{section['title']}: {block['title']}",
                help_text=help_text,
                required=False,
                max_length=rules.LONGEST_TEXT,
                initial=rules.text_of(held.get(address, {}).get("value")),
                widget=forms.Textarea(attrs={"rows": 3 if is_list else 5}),
            )
        self.fields["confirmed"] = forms.BooleanField(
            label=_("I have read everything above; what I did not change is still so."), required=False
        )
        self.order_fields(["based_on", *self.written, "confirmed", "reason"])

    def edits(self) -> dict[str, Any]:
        """What to revise: changed blocks, and with the confirmation every block that holds something."""
        confirmed = self.cleaned_data["confirmed"]
        found: dict[str, Any] = {}
        for address, (_section, block) in self.written.items():
            text = self.cleaned_data[address].replace("\r\n", "\n").strip()
            before = str(self.fields[address].initial or "").strip()
            if text != before or (confirmed and text):
                found[address] = [line.strip() for line in text.split("\n") if line.strip()] if block["type"] == "list" else text
        return found
