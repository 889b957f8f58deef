"""Pages over everything: the inbox, the portfolio, and the lists behind its figures."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.portal.errors import Invalid
from config.portal.pages import SIGNED_IN, ListPage, Page
from config.portal.permission import holds
from governance.gate.models import Verdict
from governance.gate.rights import VerdictRight
from governance.portfolio import figures
from governance.portfolio.listing import CountsCsv, DeploymentTable, VerdictTable
from governance.portfolio.rights import PortfolioRight
from governance.portfolio.rules import Bucket
from governance.portfolio.waiting import Inbox
from stewardship.inventory.models import Deployment
from stewardship.inventory.rights import DeploymentRight, ModelRight
from stewardship.people.models import User
from stewardship.regions.models import Region


class InboxPage(Page):
    """What waits for me, the most urgent first?"""

    right = SIGNED_IN
    nav = "inbox"
    template_name = "governance/portfolio/inbox.html"

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.inbox = Inbox(cast(User, request.user), timezone.now())

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") and request.GET.get("seen") == self.inbox.look:
            return HttpResponse(status=204)  # a poll, and nothing has changed: leave the person's place alone
        return super().get(request, *args, **kwargs)

    def get_title(self) -> str:
        n, overdue, today = self.inbox.count(), self.inbox.count(Bucket.OVERDUE), self.inbox.count(Bucket.TODAY)
        if not n:
            return _("Nothing waits for you")
        said = ngettext("%(n)d thing waits for you", "%(n)d things wait for you", n) % {"n": n}
        if overdue:
            return _("%(all)s, %(n)d overdue") % {"all": said, "n": overdue}
        return _("%(all)s, %(n)d today") % {"all": said, "n": today} if today else said

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_browse = holds(self.request.user, ModelRight.VIEW)
        return super().get_context_data(inbox=self.inbox, groups=list(self.inbox.groups), may_browse=may_browse, **kwargs)


class PortfolioPage(Page):
    """What do we have, what is wrong, what waits, what was refused?"""

    right = PortfolioRight.VIEW
    nav = "portfolio"
    template_name = "governance/portfolio/portfolio_page.html"

    def check(self, request: HttpRequest) -> None:
        super().check(request)
        self.regions = list(Region.objects.allowed(request.user, ModelRight.VIEW).order_by("name"))
        wanted = request.GET.get("region", "")
        self.region = next((region for region in self.regions if region.code == wanted), None)
        if wanted and self.region is None:
            raise Invalid(
                _("There is no region “%(code)s” that you may see.") % {"code": wanted[:40]}, field="region", remedy=_("Choose one.")
            )
        self.portfolio = figures.Portfolio(cast(User, request.user), timezone.now(), wanted)
        self.counts = self.portfolio.counted()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("format") == "csv":
            return CountsCsv(self.counts, {region.pk: region.name for region in self.regions}).response()
        self.figures = self.portfolio.figures()
        return super().get(request, *args, **kwargs)

    def get_title(self) -> str:
        n, where = self.counts.total(), str(self.region) if self.region else _("Everything you may see")
        values = {figure.name: figure.value for figure in self.figures}
        said = ngettext("%(where)s: %(n)d model", "%(where)s: %(n)d models", n) % {"where": where, "n": n}
        if acts := values.get("alerts-act"):
            said += ngettext(", %(n)d alert asks to act", ", %(n)d alerts ask to act", acts) % {"n": acts}
        if waits := values.get("awaited"):
            said += ngettext(", %(n)d decision is awaited", ", %(n)d decisions are awaited", waits) % {"n": waits}
        return said

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            figures=self.figures,
            total=self.counts.total(),
            models_url=self.portfolio.url("model_list"),
            matrix=figures.matrix(self.portfolio, self.counts),
            tier_heads=figures.tier_heads(),
            stage_heads=figures.stage_heads(),
            awaited=self.portfolio.awaited(),
            regions=self.regions,
            region=self.region,
            **kwargs,
        )


class DeploymentList(ListPage):
    """What runs where, and what ran there before?"""

    model = Deployment
    right = DeploymentRight.VIEW
    title = gettext_lazy("Deployments")
    nav = "portfolio"
    table = DeploymentTable

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("model", "version", "environment", "region")


class VerdictList(ListPage):
    """What did the gate answer, and to whom?"""

    model = Verdict
    right = VerdictRight.VIEW
    title = gettext_lazy("Answers of the gate")
    nav = "portfolio"
    table = VerdictTable

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("version__model", "environment", "region", "change")
