"""Loading a framework from a document, once or again: what changed is saved, what is there already stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.frameworks.errors import BadFramework
from stewardship.frameworks.models import Applicability, Clause, Framework
from stewardship.frameworks.rights import FrameworkRight
from stewardship.journal.acting import acting
from stewardship.journal.record import Recorded
from stewardship.people.models import User
from stewardship.regions.models import Region

_FRAMEWORK = ("name", "jurisdiction", "edition", "source", "summary")


def load(document: Mapping[str, Any], actor: User) -> Framework:
    """Make the framework what the document says.

    `{"slug", "name", "jurisdiction", "edition", "source", "summary", "replaces": slug, "clauses": [{"ref", "title", "summary"}],
    "applies": [{"region": code, "from": "2026-08-02", "until": null}]}`. Raises BadFramework naming the place. Clauses that the
    document no longer has stay, because rules may cite them.
    """
    require(actor, FrameworkRight.CONFIGURE, None)
    known = {"slug", "replaces", "clauses", "applies", *_FRAMEWORK}
    for key in document:
        if key not in known:
            raise BadFramework(
                _("A framework has no %(key)r.") % {"key": key}, field=key, remedy=_("Use %(names)s.") % {"names": ", ".join(sorted(known))}
            )
    if not document.get("slug") or not document.get("name"):
        raise BadFramework(_("A framework needs a slug and a name."), field="slug", remedy=_("Add them."))
    with transaction.atomic(), acting(actor, f"Framework {document['name']} loaded"):
        framework = Framework.objects.filter(slug=document["slug"]).first() or Framework(slug=document["slug"])
        values: dict[str, Any] = {field: document.get(field, "") for field in _FRAMEWORK}
        values["replaces"] = _replaced(document.get("replaces"))
        _write(framework, values, "slug")
        for place, clause in enumerate(document.get("clauses", ())):
            where = f"clauses[{place}]"
            ref = _need(clause, "ref", where)
            row = Clause.objects.filter(framework=framework, ref=ref).first() or Clause(framework=framework, ref=ref)
            _write(row, {"title": _need(clause, "title", where), "summary": clause.get("summary", "")}, where)
        for place, place_and_time in enumerate(document.get("applies", ())):
            _apply(framework, place_and_time, f"applies[{place}]")
    return framework


def _need(part: Any, key: str, where: str) -> Any:
    if not isinstance(part, Mapping) or not part.get(key):
        raise BadFramework(_("%(where)s needs %(key)s.") % {"where": where, "key": key}, field=f"{where}.{key}", remedy=_("Add it."))
    return part[key]


def _replaced(slug: str | None) -> Framework | None:
    if not slug:
        return None
    found: Framework | None = Framework.objects.filter(slug=slug).first()
    if found is None:
        raise BadFramework(_("There is no framework %(slug)r.") % {"slug": slug}, field="replaces", remedy=_("Load that one first."))
    return found


def _day(text: Any, where: str) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise BadFramework(
            _("%(where)s: %(text)r is not a date.") % {"where": where, "text": text}, field=where, remedy=_("Write it like 2026-08-02.")
        ) from error


def _apply(framework: Framework, part: Any, where: str) -> None:
    code = _need(part, "region", where)
    region = Region.objects.filter(code=code).first()
    if region is None:
        raise BadFramework(
            _("There is no region %(code)r.") % {"code": code}, field=f"{where}.region", remedy=_("Choose a code of the region tree.")
        )
    start = _day(_need(part, "from", where), f"{where}.from")
    until = _day(part["until"], f"{where}.until") if part.get("until") else None
    if until is not None and until <= start:
        raise BadFramework(
            _("%(where)s ends before it starts.") % {"where": where}, field=f"{where}.until", remedy=_("Choose a later day.")
        )
    row = Applicability.objects.filter(framework=framework, region=region, valid_from=start).first() or Applicability(
        framework=framework, region=region, valid_from=start
    )
    _write(row, {"valid_until": until}, where)


def _write(row: Recorded, values: Mapping[str, Any], where: str) -> None:
    """Save when something differs; loading the same document twice leaves no second trace."""
    changed = [field for field, value in values.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, values[field])
    if changed or row._state.adding:
        try:
            row.full_clean(validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            field, messages = next(iter(error.message_dict.items()))
            raise BadFramework(f"{where}: {' '.join(messages)}", field=field, remedy=_("Correct it in the document.")) from error
        row.save()
