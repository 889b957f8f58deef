"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.portal.pages import SIGNED_IN
from config.portal.registry import commands, nav, recent, search
from governance.changes.rights import ChangeRight
from governance.portfolio import configuration, find, waiting
from governance.portfolio.rights import PortfolioRight
from stewardship.access import rights
from stewardship.inventory.rights import ModelRight


def wire() -> None:
    """Rights, the inbox and the portfolio in the sidebar, and what the palette finds across floors."""
    rights.register(PortfolioRight)
    nav.register("Work", _("Inbox"), "inbox", SIGNED_IN, rows=waiting.rows, order=10, icon="inbox")
    nav.register("Work", _("My models"), "my_models", ModelRight.VIEW, order=15, icon="family")
    nav.register("Portfolio", _("Portfolio"), "portfolio", PortfolioRight.VIEW, order=10, icon="portfolio")
    search.register("person", _("People"), find.people)
    search.register("version", _("Versions"), find.versions)
    if find.recent not in recent:
        recent.append(find.recent)
    nav.register("Configuration", _("Configuration"), "admin:index", SIGNED_IN, order=10, icon="gear", shown=configuration.may_configure)
    commands.register(_("Look at the portfolio"), "portfolio", PortfolioRight.VIEW)
    commands.register(_("Look at all changes"), "change_list", ChangeRight.VIEW)
