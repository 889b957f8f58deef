"""The record of one object, the stream of the whole journal, and proofs to take away."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from config.portal.chips import Chip
from config.portal.errors import Invalid, Missing
from config.portal.pages import SIGNED_IN, Page
from config.portal.permission import holds
from stewardship.journal.models import Entry, Outbox
from stewardship.journal.proof import Prover
from stewardship.journal.publish import latest
from stewardship.journal.revisions import named, revisions
from stewardship.journal.rights import EntryRight, ProofRight
from stewardship.journal.sight import allowed, governed, visible
from stewardship.journal.tables import Shape, by_table
from stewardship.people.models import User

STATES: dict[str, Chip] = {
    "published": Chip(gettext_lazy("proven"), "good", title=gettext_lazy("In the tree, under a signed checkpoint.")),
    "sequenced": Chip(gettext_lazy("in the tree"), "info", title=gettext_lazy("In the tree; the checkpoint is being signed.")),
    "queued": Chip(gettext_lazy("waiting"), "neutral", title=gettext_lazy("Written; takes its place in the tree within seconds.")),
    "unknown": Chip(gettext_lazy("not in the journal"), "act", title=gettext_lazy("The journal knows nothing of this row.")),
}
PER_PAGE = 50
SCAN = 1_000


def names(ids: set[Any]) -> dict[Any, str]:
    """Who these people are; everybody may know who did what they see."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}


class _OfObject(Page):
    """A page about whatever governed object the address names; what the person may not see is 404."""

    abstract = True
    object: Any
    shape: Shape

    def check(self, request: HttpRequest) -> None:
        model, self.shape = governed(self.kwargs["label"])
        self.object = allowed(request.user, model).filter(pk=self.kwargs["pk"]).first()
        if self.object is None:
            raise Missing(_("There is nothing here, or nothing that you may see."))


class HistoryPage(_OfObject):
    """Every revision of one object: who, when, why, what, and how far each is proven."""

    right = SIGNED_IN  # the object's own right decides, in check()
    template_name = "stewardship/journal/object_history.html"
    nav: ClassVar[str] = "journal_list"

    def get_title(self) -> str:
        return _("History of %(object)s") % {"object": self.object}

    def get_chips(self) -> list[Chip]:
        return [Chip(str(self.shape.noun._meta.verbose_name), "neutral")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = self.request.GET.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid(_("The place in the list cannot be read."), field="before", remedy=_("Start again from the top."))
        found, older = revisions(self.shape, self.object.pk, int(before) if before else None)
        found = named(self.request.user, self.shape, found)
        people = names({item.actor_id for item in found})
        export = holds(self.request.user, ProofRight.EXPORT)
        return super().get_context_data(
            revisions=[
                {
                    "item": item,
                    "what": DID.get(item.op, item.op),
                    "actor": people.get(item.actor_id, _("unknown")),
                    "state": STATES[item.place.state],
                }
                for item in found
            ],
            related=self._related(),
            older=older,
            may_export=export,
            object=self.object,
            **kwargs,  # label and pk, from the address
        )

    def _related(self) -> list[dict[str, Any]]:
        """Facts in the same chain: decisions, verdicts and whatever else belongs to this object."""
        entries = Entry.objects.filter(obj=str(self.object.pk)).exclude(tbl=self.shape.table).order_by("-n")[:PER_PAGE]
        found = ((entry, by_table().get(entry.tbl)) for entry in visible(self.request.user, entries))
        return [
            {
                "label": shape.noun._meta.verbose_name,
                "url": reverse("history", args=[shape.noun._meta.label_lower, entry.hid]),
                **_leaf(entry),
            }
            for entry, shape in found
            if shape is not None and shape.kind == "fact"
        ]


class ProofDownload(_OfObject):
    """One revision's proof, as a file that verifies without this portal."""

    right = ProofRight.EXPORT

    def check(self, request: HttpRequest) -> None:
        Page.check(self, request)
        super().check(request)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        entry = Entry.objects.filter(tbl=self.shape.table, hid=self.kwargs["record"], obj=str(self.chain)).first()
        if entry is None:
            raise Missing(_("This revision is not in the journal yet."), remedy=_("Try again in a few seconds."))
        response = HttpResponse(Prover().of(entry).write(), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{entry.tbl}-{entry.hid}.tlog-proof"'
        return response

    @property
    def chain(self) -> Any:
        """The id under which the object's entries are linked."""
        return getattr(self.object, self.shape.object_field.attname) if self.shape.kind == "fact" else self.object.pk


class JournalList(Page):
    """The stream of entries, the newest first, and how anybody can check it."""

    right = EntryRight.VIEW
    nav: ClassVar[str] = "journal_list"
    template_name = "stewardship/journal/entry_list.html"

    def get_title(self) -> str:
        newest = latest()
        if newest is None:
            return _("The journal has no signed checkpoint yet")
        return ngettext("%(n)d entry, signed and unalterable", "%(n)d entries, signed and unalterable", newest.size) % {"n": newest.size}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before = self.request.GET.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid(_("The place in the list cannot be read."), field="before", remedy=_("Start again from the top."))
        entries = Entry.objects.order_by("-index")
        scanned = list((entries.filter(index__lt=int(before)) if before else entries)[:SCAN])
        found = visible(self.request.user, scanned)
        page = found[:PER_PAGE]
        older = page[-1].index if len(found) > PER_PAGE else (scanned[-1].index if len(scanned) == SCAN else None)
        rows = [
            {"entry": entry, "url": _url(entry), "what": _what(entry), "hash": bytes(entry.leaf_hash).hex(), **_leaf(entry)}
            for entry in page
        ]
        people = names({row["actor_id"] for row in rows})
        for row in rows:
            row["actor"] = people.get(row["actor_id"], _("unknown"))
        return super().get_context_data(rows=rows, older=older, newest=latest(), waiting=Outbox.objects.count(), **kwargs)


def _leaf(entry: Entry) -> dict[str, Any]:
    leaf = json.loads(entry.payload)
    return {"op": OPERATIONS.get(leaf["op"], leaf["op"]), "at": datetime.fromisoformat(leaf["at"]), "actor_id": UUID(leaf["actor"])}


def _what(entry: Entry) -> str:
    shape = by_table().get(entry.tbl)
    return str(shape.noun._meta.verbose_name) if shape else entry.tbl


def _url(entry: Entry) -> str:
    shape = by_table().get(entry.tbl)
    # A table that is gone has no page any more.
    return reverse("history", args=[shape.noun._meta.label_lower, entry.hid if shape.kind == "fact" else entry.obj]) if shape else ""


# Said of the entry, and of who made it.
OPERATIONS = {"+": gettext_lazy("added"), "~": gettext_lazy("changed"), "-": gettext_lazy("removed"), "x": gettext_lazy("lost")}
DID = {
    "+": pgettext_lazy("verb", "added"),
    "~": pgettext_lazy("verb", "changed"),
    "-": pgettext_lazy("verb", "removed"),
    "x": pgettext_lazy("verb", "lost"),
}
