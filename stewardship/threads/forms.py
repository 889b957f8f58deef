"""The form of a comment, and that of settling a discussion."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stewardship.threads.comment import LONGEST
from stewardship.threads.models import Status


class SealedForm(forms.Form):
    """Sent from a page that was shown; `subject` says, sealed, which and to whom."""

    subject = forms.CharField(required=False, widget=forms.HiddenInput())
    back = forms.CharField(required=False, widget=forms.HiddenInput())


class CommentForm(SealedForm):
    """What somebody says."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Part of the record: it cannot be changed later. @username tells somebody."),
    )


class SettleForm(SealedForm):
    """What the discussion is to become, so that a button that is pressed twice does not take itself back."""

    status: Any = forms.ChoiceField(choices=Status.choices, widget=forms.HiddenInput())
