"""Assess a model's risk: answer, see the score and the tier, then keep it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.chips import Chip
from config.portal.errors import DomainError, Missing
from config.portal.pages import ActionPage, Crumb, attach
from governance.risk.assess import assess, result
from governance.risk.forms import AssessForm
from governance.risk.models import Assessment, Questionnaire
from governance.risk.rights import AssessmentRight
from stewardship.inventory.models import RegisteredModel


class RiskAssess(ActionPage):
    """The questionnaire of the model's region; `preview` shows the result without keeping it."""

    model = RegisteredModel
    select_related = ("region",)
    right = AssessmentRight.MAKE
    form_class = AssessForm
    template_name = "governance/risk/assess_page.html"
    submit_label = gettext_lazy("Keep this assessment")

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        found = Questionnaire.objects.nearest(self.object.region)
        if found is None:
            raise Missing(
                _("No risk questionnaire is in use for %s.") % self.object.region,
                remedy=_("Ask whoever configures questionnaires to publish one."),
            )
        self.questionnaire = found
        self.latest = Assessment.objects.latest_of(self.object)

    def get_title(self) -> str:
        return str(_("How much rides on %s?") % self.object)

    def get_crumbs(self) -> Iterable[Crumb]:
        yield Crumb(gettext_lazy("Models"), reverse("model_list"))
        yield Crumb(self.object.name, reverse("model_detail", args=[self.object.pk]))

    def get_chips(self) -> Iterable[Chip]:
        yield Chip(_("tier %d") % self.object.tier) if self.object.tier else Chip(_("no tier yet"), "unknown")
        yield Chip(str(self.questionnaire), is_name=True)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"questionnaire": self.questionnaire}

    def get_initial(self) -> dict[str, Any]:
        return dict(self.latest.answers) if self.latest else {}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "preview" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        found = None
        if form.is_valid():
            try:
                found = result(self.questionnaire, form.answers())
            except DomainError as error:  # the questionnaire changed between two clicks
                attach(form, error)
        return self.render_to_response(self.get_context_data(form=form, result=found))

    def submit(self, form: AssessForm) -> str:
        assess(
            model=self.object,
            questionnaire=self.questionnaire,
            answers=form.answers(),
            actor=self.request.user,  # type: ignore[arg-type]  # signed in, as check() demanded
            override_tier=form.cleaned_data["override_tier"],
            rationale=form.cleaned_data["rationale"],
        )
        return reverse("model_detail", args=[self.object.pk])

    def get_success(self) -> str:
        return _("The assessment is kept and the tier is set.")
