"""One's own page: zone, language, look, second factor, time away, access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.errors import Missing
from config.portal.pages import SIGNED_IN, Crumb, FormPage, Page
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.forms import AwayForm, StandInForm
from stewardship.people.models import Absence, Dated, DatedQuerySet, Delegation, User
from stewardship.people.tokens import LONGEST_DAYS, AccessToken

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[User]
else:
    _ModelForm = forms.ModelForm


class ProfileForm(_ModelForm):
    """What a person decides alone."""

    class Meta:
        model = User
        fields = ("full_name", "time_zone", "language", "theme")
        help_texts = {"time_zone": gettext_lazy("A name like Europe/Berlin. Every time you see is in this zone.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)


class ProfilePage(FormPage):
    """`/me/`"""

    right = SIGNED_IN
    title = gettext_lazy("My profile")
    template_name = "stewardship/people/profile_page.html"
    form_class = ProfileForm
    submit_label = gettext_lazy("Save my settings")
    success = gettext_lazy("Your settings are saved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        # A copy, so that a rejected value never reaches the shell around the form.
        return {"instance": User.objects.get(pk=self.request.user.pk), "data": self.request.POST or None}

    def submit(self, form: Any) -> str:
        with acting(self.request.user, _("Changed their own settings")):
            form.save()
        return reverse("profile")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().post(request, *args, **kwargs)
        if response.status_code == 302:
            response.delete_cookie("theme")  # the profile decides again
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        from allauth.mfa.utils import is_mfa_enabled

        mine = AccessToken.objects.filter(user_id=str(self.request.user.pk)).select_related("use").order_by("-expires_at", "pk")
        now, me = timezone.now(), self.request.user.pk
        return super().get_context_data(
            **{
                "tokens": list(mine[:50]),
                "now": now,
                "second_factor": is_mfa_enabled(self.request.user),
                "absences": _lasting(Absence.objects.filter(user=me), now),
                "delegations": _lasting(Delegation.objects.filter(delegator=me), now, "delegate"),
                "standing_in": _lasting(Delegation.objects.filter(delegate=me), now, "delegator"),
                **kwargs,
            }
        )


def _lasting(rows: DatedQuerySet, now: datetime, *related: str) -> list[Any]:
    """Those that hold now or later, the nearest first."""
    return list(rows.filter(Q(ends__isnull=True) | Q(ends__gt=now)).select_related(*related).order_by("starts", "pk")[:50])


class BesideMyProfile(FormPage):
    """A form that one's own page leads to."""

    abstract = True
    right = SIGNED_IN

    def get_crumbs(self) -> list[Crumb]:
        return [Crumb(gettext_lazy("My profile"), reverse("profile"))]


class BeginningOfMine(BesideMyProfile):
    """Something about oneself that holds for a while begins."""

    abstract = True

    def begin(self, me: Any, given: dict[str, Any]) -> None:
        """Call the verb."""
        raise NotImplementedError

    def submit(self, form: Any) -> str:
        self.begin(self.request.user, form.cleaned_data)
        return reverse("profile")


class GoAway(BeginningOfMine):
    """A time in which one is not to be called."""

    title = gettext_lazy("I am away")
    form_class = AwayForm
    submit_label = gettext_lazy("Record my absence")
    success = gettext_lazy("Nobody calls you in that time.")

    def begin(self, me: Any, given: dict[str, Any]) -> None:
        standing.be_absent(me, actor=me, **given)


class NameStandIn(BeginningOfMine):
    """Somebody acts in one's place for a while."""

    title = gettext_lazy("Somebody stands in for me")
    form_class = StandInForm
    submit_label = gettext_lazy("Let them stand in")
    success = gettext_lazy("They may act in your place in that time.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "person": self.request.user}

    def begin(self, me: Any, given: dict[str, Any]) -> None:
        standing.delegate(me, given["delegate"], actor=me, starts=given["starts"], ends=given["ends"])


class EndOfMine(Page):
    """Something about oneself that holds for a while ends now."""

    abstract = True
    right = SIGNED_IN
    http_method_names = ["post"]
    mine: ClassVar[tuple[type[Dated], str]]  # the noun, and its column that names whose it is

    def end(self, me: Any, row: Any) -> None:
        """Call the verb."""
        raise NotImplementedError

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        noun, whose = self.mine
        row = noun._default_manager.filter(**{whose: request.user.pk}, pk=pk).first()
        if row is None:
            raise Missing(_("There is nothing like this of yours."))
        self.end(request.user, row)
        messages.success(request, _("It ends now."))
        return HttpResponseRedirect(reverse("profile"))


class ComeBack(EndOfMine):
    """One's own absence ends."""

    title = gettext_lazy("I am back")
    mine = (Absence, "user")

    def end(self, me: Any, row: Any) -> None:
        standing.come_back(row, actor=me)


class TakeBack(EndOfMine):
    """One's own delegation ends."""

    title = gettext_lazy("End the delegation")
    mine = (Delegation, "delegator")

    def end(self, me: Any, row: Any) -> None:
        standing.take_back(row, actor=me)


class TokenForm(forms.Form):
    """What a new token may do, and for how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("What will use it, for example “CI of the credit models”.")
    )
    scopes = forms.ChoiceField(
        label=gettext_lazy("It may"),
        choices=[("read", gettext_lazy("read")), ("read write", gettext_lazy("read and write"))],
        widget=forms.RadioSelect,
        initial="read",
    )
    days = forms.IntegerField(
        label=gettext_lazy("It lives for"),
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=90,
        help_text=gettext_lazy("At most a year; renew it then."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].unit = _("days")  # type: ignore[attr-defined] # shown beside the input


class IssueToken(BesideMyProfile):
    """A new token; its plain text is on the answer's page once and nowhere else."""

    title = gettext_lazy("New access token")
    form_class = TokenForm
    submit_label = gettext_lazy("Issue the token")

    def submit(self, form: Any) -> HttpResponse:
        given = form.cleaned_data
        token, plain = AccessToken.issue(
            user=self.request.user,  # type: ignore[arg-type] # signed in, says Page
            name=given["name"],
            scopes=given["scopes"].split(),
            days=given["days"],
            actor=self.request.user,  # type: ignore[arg-type]
        )
        context = self.get_context_data(form=form, token=token, plain=plain, title=_("Your token, shown once"))
        response = self.response_class(self.request, "stewardship/people/token_page.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response


class RevokeToken(Page):
    """End one's own token."""

    right = SIGNED_IN
    title = gettext_lazy("Revoke a token")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        token = AccessToken.objects.filter(user_id=str(request.user.pk), pk=pk).first()
        if token is None:
            raise Missing(_("There is no such token of yours."))
        token.revoke(actor=request.user)
        messages.success(request, _("The token “%(name)s” opens nothing any more.") % {"name": token.name})
        return HttpResponseRedirect(reverse("profile"))
