"""The fields that ask a person to prove who they are, for any form that ends in a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stewardship.people.models import User
from stewardship.signing.methods import available
from stewardship.signing.models import Method

if TYPE_CHECKING:
    _Form = forms.Form
else:
    _Form = object


class CredentialMixin(_Form):
    """Adds `method` and `credential`; call `ask(user)` from the form's __init__ once the fields exist.

    With no method available there are no fields and `no_method` holds the sentence that says what to do.
    """

    no_method: Any = ""

    def ask(self, user: User) -> None:
        """Add the fields for what this person can sign with."""
        methods = available(user)
        if not methods:
            self.no_method = _("To sign you need an authenticator app: set one up on your profile page, then come back.")
            return
        if len(methods) > 1:
            self.fields["method"] = forms.ChoiceField(
                label=_("Prove it is you by"), choices=[(each.value, each.label) for each in methods], initial=methods[0].value
            )
        else:
            self.fields["method"] = forms.CharField(widget=forms.HiddenInput, initial=methods[0].value)
        # type=password for both: neither belongs on a screen that is shared; one-time-code lets phones fill it in.
        only_code = methods == [Method.TOTP]
        self.fields["credential"] = forms.CharField(
            label=_("Code") if only_code else _("Password") if methods == [Method.PASSWORD] else _("Code or password"),
            max_length=200,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "one-time-code" if only_code else "current-password"}),
            help_text=_("Asked for each signature; nobody can sign with your open session."),
        )
