"""What happened to a model and to what belongs to it, read from the journal: one line per entry, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, Exists, F, Func, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from config.portal.timeline import Item
from governance.approvals.models import Decision
from governance.changes.models import ChangeRequest
from governance.evidence.models import Artifact
from governance.gate.models import Permit, Verdict
from governance.policies.models import Evaluation, Waiver
from governance.risk.models import Assessment
from monitoring.alerts.models import Alert
from stewardship.actions.models import Action
from stewardship.coverage.models import Gap
from stewardship.dossiers.models import Dossier, Revision
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.journal import leaf
from stewardship.journal.models import Entry
from stewardship.journal.tables import Shape, shapes
from stewardship.people.models import User
from stewardship.roles.models import RoleAssignment

PER_PAGE = 50
Text = str | Promise
CHANGED = pgettext_lazy("verb", "changed")


@dataclass(frozen=True)
class Told:
    """How rows of one noun are told."""

    kind: str  # the filter, and the icon
    made: Text
    moved: Text = CHANGED
    quiet: bool = False
    tell: tuple[str, ...] = ()  # fields whose values are said with it
    words: str = ""  # the field in which a person said something


NOUNS: dict[type, Told] = {
    RegisteredModel: Told("model", pgettext_lazy("verb", "registered"), tell=("stage",)),
    ModelVersion: Told("model", gettext_lazy("registered version")),
    Deployment: Told("deployment", gettext_lazy("recorded a deployment of"), gettext_lazy("ended or changed the deployment of")),
    ChangeRequest: Told("change", pgettext_lazy("verb", "drafted"), gettext_lazy("moved"), tell=("status",)),
    Decision: Told("signature", gettext_lazy("signed a decision on"), tell=("outcome",), words="comment"),
    Verdict: Told("policy", gettext_lazy("asked the gate about"), quiet=True, tell=("verdict",)),
    Permit: Told("policy", gettext_lazy("issued a permit for")),
    Evaluation: Told("policy", gettext_lazy("evaluated the policies for"), quiet=True, tell=("verdict",)),
    Waiver: Told("policy", gettext_lazy("granted a waiver of")),
    Assessment: Told("policy", gettext_lazy("assessed the risk of"), tell=("tier",)),
    Artifact: Told("evidence", gettext_lazy("attached"), quiet=True),
    Alert: Told("alert", pgettext_lazy("verb", "opened"), gettext_lazy("moved"), tell=("level", "status"), words="resolution_reason"),
    Dossier: Told("journal", gettext_lazy("began the dossier of"), quiet=True),
    Revision: Told("journal", gettext_lazy("revised the dossier"), tell=("number",)),
    RoleAssignment: Told("person", gettext_lazy("gave a role on"), gettext_lazy("changed a role on")),
    Gap: Told("gap", gettext_lazy("opened the gap"), gettext_lazy("closed the gap")),
    Action: Told("action", gettext_lazy("opened the action"), gettext_lazy("moved the action"), tell=("status",)),
}
KINDS: dict[str, Text] = {
    "model": gettext_lazy("Model"),
    "change": gettext_lazy("Changes"),
    "signature": gettext_lazy("Decisions"),
    "policy": gettext_lazy("Policies and gate"),
    "deployment": gettext_lazy("Deployments"),
    "alert": gettext_lazy("Alerts"),
    "evidence": gettext_lazy("Evidence"),
    "journal": gettext_lazy("Dossier"),
    "person": gettext_lazy("Roles"),
    "action": gettext_lazy("Actions"),
    "gap": gettext_lazy("Gaps"),
}
TONES = {"approve": "good", "reject": "act", "return": "watch", "deny": "act"}
NAMES = ("title", "label", "name", "rule", "slug")


@dataclass(frozen=True)
class Page:
    """A stretch of the history; `older` is the place in the journal where the next one begins."""

    items: list[Item]
    older: int | None


def happened(user: User, model: RegisteredModel, *, kind: str = "", before: int | None = None) -> Page:
    """What this person may see of it; five queries, however long the history is."""
    told = {shape.table: shape for shape in shapes() if shape.noun in NOUNS and kind in {"", NOUNS[shape.noun].kind}}
    told = _visible(user, model, told)
    entries = Entry.objects.filter(tbl__in=told, obj__in=_chains(model))
    if before is not None:
        entries = entries.filter(index__lt=before)
    found = list(entries.order_by("-index")[: PER_PAGE + 1])
    people = dict(User.objects.filter(pk__in={leaf.parse(one.payload.encode())["actor"] for one in found}).values_list("pk", "full_name"))
    items = list(_items(found[:PER_PAGE], told, people, _names(model, {one.obj for one in found})))
    return Page(items, found[PER_PAGE - 1].index if len(found) > PER_PAGE else None)


def _visible(user: User, model: RegisteredModel, told: Mapping[str, Shape]) -> dict[str, Shape]:
    """The tables whose rows about this model the person may view; one query for all rights."""
    rights = sorted({str(shape.noun.view_right) for shape in told.values()})  # type: ignore[attr-defined]
    asked = {f"r{n}": Exists(RegisteredModel.objects.allowed(user, right).filter(pk=OuterRef("pk"))) for n, right in enumerate(rights)}
    row = RegisteredModel.objects.filter(pk=model.pk).annotate(**asked).values(*asked).get()
    held = {right for n, right in enumerate(rights) if row[f"r{n}"]}
    return {table: shape for table, shape in told.items() if shape.noun.view_right in held}  # type: ignore[attr-defined]


REFERENCE = Concat(Value("CR-"), Cast("number", CharField()), Value(" "), "title", output_field=CharField())
# The nouns whose chains in the journal are a model's, the way from each to its model, and how each of its objects calls itself.
CHAINS: tuple[tuple[type[Any], str, Any], ...] = (
    (ModelVersion, "model", F("label")),
    (Alert, "model", F("title")),
    (Deployment, "model", F("version__label")),
    (Dossier, "model", F("model__name")),
    (RoleAssignment, "model", F("role__name")),
    (Gap, "model", F("label")),
    (Action, "model", F("title")),
    (Waiver, "model", F("rule")),
    (ChangeRequest, "model", REFERENCE),
    (Artifact, "version__model", F("name")),
)


class AsText(Func):
    """An id as the journal writes it, with dashes, whatever the database keeps."""

    template = "CAST(%(expressions)s AS text)"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        sql, params = compiler.compile(self.source_expressions[0])
        # Places in the 32 hexadecimal digits that SQLite keeps: 8-4-4-4-12.
        parts = " || '-' || ".join(f"substr({sql}, {start}, {length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)))
        return f"({parts})", (*params,) * 5


def _chains(model: RegisteredModel) -> QuerySet[Any]:
    """The ids of the model and of what is its own, as a query: there may be more of them than a statement could hold as values."""
    itself = RegisteredModel.objects.filter(pk=model.pk).order_by().values_list(AsText("pk"))
    rows = (noun.objects.filter(**{path: model}).order_by().values_list(AsText("pk")) for noun, path, _name in CHAINS)
    found: QuerySet[Any] = itself.union(*rows, all=True)
    return found


def _names(model: RegisteredModel, objects: set[str]) -> dict[str, str]:
    """How those of these objects that are this model's call themselves; one query."""
    rows = [
        noun.objects.filter(**{path: model}, pk__in=objects).order_by().annotate(said=name).values_list("pk", "said")
        for noun, path, name in CHAINS
    ]
    return {str(pk): str(name) for pk, name in rows[0].union(*rows[1:], all=True)} | {str(model.pk): model.name}


def _items(entries: Iterable[Entry], told: Mapping[str, Shape], people: Mapping[UUID, str], names: Mapping[str, str]) -> Iterable[Item]:
    for entry in entries:
        shape, document = told[entry.tbl], leaf.parse(entry.payload.encode())
        noun, how = shape.noun, NOUNS[shape.noun]
        fields: dict[str, Any] = document["f"]
        is_fact = shape.kind == "fact"
        outcome = fields.get("outcome") or fields.get("verdict") or ""
        yield Item(
            at=datetime.fromisoformat(document["at"]),
            kind=how.kind,
            actor=people.get(UUID(document["actor"])) or _("The system"),
            verb=how.made if document["op"] == "+" else how.moved,
            object_label=_title(fields, names.get(entry.obj, "")) + _outcome(noun, how, fields, made=document["op"] == "+" and not is_fact),
            url=reverse("history", args=[noun._meta.label_lower, entry.hid if is_fact else entry.obj]),
            detail=_words(fields.get(how.words)),
            quiet=how.quiet and outcome != "deny",
            tone=TONES.get(str(outcome), "neutral"),
        )


def _title(fields: Mapping[str, Any], otherwise: str) -> str:
    number = fields.get("number")
    for name in NAMES:
        if isinstance(fields.get(name), str) and fields[name]:
            return f"CR-{number} {fields[name]}" if name == "title" and number else str(fields[name])
    return otherwise


def _outcome(noun: Any, how: Told, fields: Mapping[str, Any], *, made: bool) -> str:
    """What it came to, in the words of the field's choices; what was just made has not come to anything yet."""
    said = []
    for name in () if made else how.tell:
        value = fields.get(name)
        if value not in (None, ""):
            field = noun._meta.get_field(name)
            chosen = dict(field.flatchoices).get(value)
            said.append(str(chosen) if chosen is not None and not str(chosen).isdecimal() else f"{field.verbose_name} {value}")
    return f" → {', '.join(said)}" if said else ""


def _words(value: Any) -> str:
    """What a person said; of a long text the journal's leaf holds only the digest, the line's page has it whole."""
    return f"“{value}”" if isinstance(value, str) and value else ""
