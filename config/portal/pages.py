"""The base of every page. A page without a right cannot exist; a refusal of the domain is shown where it belongs.

class AlertDetail(ObjectPage):
    model, right, title = Alert, Right.VIEW, ...
    template_name = "monitoring/alerts/alert_page.html"
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from config.portal import problems
from config.portal.chips import Chip
from config.portal.errors import DomainError, Forbidden, Missing
from config.portal.permission import SIGNED_IN, holds, permits
from config.portal.registry import panels
from config.portal.tables import Table

Text = str | Promise

__all__ = ["SIGNED_IN", "ActionPage", "Crumb", "FormPage", "ListPage", "ObjectPage", "Page", "PageAction", "Tab", "rendered_panels"]


@dataclass(frozen=True)
class Crumb:
    """One step of the way back; no link where there is no `url`."""

    label: Text
    url: str


@dataclass(frozen=True)
class Tab:
    """A part of a page with an address of its own (`?tab=`)."""

    name: str
    label: Text
    count: int | None = None


@dataclass(frozen=True)
class PageAction:
    """A link at the top right. One is primary, the others are not."""

    label: Text
    url: str
    primary: bool = False


class Page(TemplateResponseMixin, ContextMixin, View):
    """Signed in, allowed, and inside the shell.

    `right` is mandatory (SIGNED_IN for what anybody may open). `title` answers the page's question; override
    `get_title()` where it depends on the object. A class that is only a base sets `abstract = True`.
    """

    abstract: ClassVar[bool] = True
    right: ClassVar[str] = ""
    title: ClassVar[Text] = ""
    nav: ClassVar[str] = ""
    tabs: ClassVar[tuple[Tab, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("abstract", False):
            return
        cls.abstract = False
        if not cls.right:
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} has no `right`; a page that anybody may open says SIGNED_IN.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Log in first, then the right, then the page; what the domain refuses becomes an answer."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        try:
            self.check(request)
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return problems.response_to(request, error) or HttpResponse(status=500)

    def check(self, request: HttpRequest) -> None:
        """Raise Forbidden unless the person holds `right` somewhere; pages of one object look closer."""
        if not holds(request.user, self.right):
            raise Forbidden(_("You do not hold the right that this page asks for (%(right)s).") % {"right": self.right})

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data(**kwargs))

    # What the head of the page shows ---------------------------------------------------------------

    def get_title(self) -> Text:
        """The page's title; a sentence where that answers the question."""
        return self.title

    def get_crumbs(self) -> Iterable[Crumb]:
        """The way back, without the page itself."""
        return ()

    def get_chips(self) -> Iterable[Chip]:
        """One line of facts under the title."""
        return ()

    def get_actions(self) -> Iterable[PageAction]:
        """What can be done from here."""
        return ()

    def get_tabs(self) -> tuple[Tab, ...]:
        return self.tabs

    @property
    def tab(self) -> str:
        """The chosen tab; an unknown one is the first."""
        names = [tab.name for tab in self.get_tabs()]
        wanted = self.request.GET.get("tab", "")
        return wanted if wanted in names else (names[0] if names else "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        head = {
            "page": self,
            "title": self.get_title(),
            "crumbs": list(self.get_crumbs()),
            "chips": [chip for chip in self.get_chips() if chip],
            "actions": list(self.get_actions()),
            "tabs": self.get_tabs(),
            "tab": self.tab,
        }
        return super().get_context_data(**{**head, **kwargs})


class ListPage(Page):
    """Rows that the person may see, in a table; `?format=csv` gives exactly the filtered rows."""

    abstract = True
    template_name = "portal/list.html"
    table: ClassVar[type[Table]]
    model: ClassVar[type[Model] | None] = None

    def check(self, request: HttpRequest) -> None:
        paths = getattr(self.model, "access_paths", None)
        if paths is not None and paths.person:
            return  # one's own rows need no grant; the queryset decides
        super().check(request)

    def get_queryset(self) -> QuerySet[Any]:
        """What the person may see; narrow it further in a subclass."""
        if self.model is None:
            raise TypeError(f"{type(self).__qualname__} needs `model` or `get_queryset`.")
        rows: QuerySet[Any] = self.model.objects.allowed(self.request.user, self.right)  # type: ignore[attr-defined]
        return rows

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        table = self.table(self.get_queryset(), request)
        if request.GET.get("format") == "csv":
            return table.csv()
        return self.render_to_response(self.get_context_data(table=table, **kwargs))


class ObjectPage(Page):
    """One object, found through `allowed()`; what the person may not see is 404. `self.object` holds it."""

    abstract = True
    model: ClassVar[type[Model]]
    select_related: ClassVar[tuple[str, ...]] = ()
    object: Any

    def check(self, request: HttpRequest) -> None:
        self.object = self.get_object()

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.allowed(self.request.user, self.right)  # type: ignore[attr-defined]
        return rows.select_related(*self.select_related) if self.select_related else rows

    def get_object(self) -> Any:
        found = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Missing(
                _("There is nothing here, or nothing that you may see."), remedy=_("Check the address, or look for it with Ctrl-K.")
            )
        return found

    def get_title(self) -> Text:
        return self.title or str(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"object": self.object, **kwargs})


class FormPage(Page):
    """A form whose POST calls one verb of the domain. Works with any form class.

    `submit(form)` calls the verb and gives the address to go to (or a response). What the verb refuses is shown at its
    field, or at the top when the form has no such field; nothing the person typed is lost.
    """

    abstract = True
    template_name = "portal/form.html"
    form_class: ClassVar[type[forms.BaseForm]] = forms.Form
    submit_label: ClassVar[Text] = ""
    success: ClassVar[Text] = ""
    danger: ClassVar[bool] = False

    def get_initial(self) -> dict[str, Any]:
        """Known values to start with."""
        return {}

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = {"initial": self.get_initial()}
        if self.request.method == "POST":
            kwargs |= {"data": self.request.POST, "files": self.request.FILES}
        return kwargs

    def get_form(self) -> Any:
        return self.form_class(**self.get_form_kwargs())

    def submit(self, form: Any) -> str | HttpResponseBase:
        """Call the verb; give where to go."""
        raise NotImplementedError(f"{type(self).__qualname__} must say what submit() does.")

    def get_success(self) -> Text:
        """A quiet sentence after it worked."""
        return self.success

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data(form=self.get_form(), **kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        form, status = self.get_form(), HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                there = self.submit(form)
            except DomainError as error:
                attach(form, error)
                status = HTTPStatus.FORBIDDEN if isinstance(error, Forbidden) else status
            else:
                if success := self.get_success():
                    messages.success(request, str(success))
                return HttpResponseRedirect(there) if isinstance(there, str) else there
        return self.render_to_response(self.get_context_data(form=form, **kwargs), status=status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"submit_label": self.submit_label or self.title or _("Save"), "danger": self.danger, **kwargs})


class ActionPage(FormPage, ObjectPage):
    """A verb on one object: GET asks (a reason, a comment), POST does it."""

    abstract = True


def attach(form: Any, error: DomainError) -> None:
    """Show a refusal at the field it names, or at the top of the form, with its remedy."""
    text = f"{error.message} {error.remedy}".strip()
    form.add_error(error.field if error.field in form.fields else None, text)


def rendered_panels(request: HttpRequest, place: str, obj: Any) -> list[dict[str, Any]]:
    """The panels registered for a place that have something to show, where this person holds their right on this very object."""
    shown = []
    for panel in panels.at(place):
        if panel.right == SIGNED_IN or permits(request.user, panel.right, obj):
            context = panel.context(request, obj)
            if context is not None:
                shown.append({"template": panel.template, "context": {**context, "object": obj}})
    return shown
