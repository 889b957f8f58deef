"""Pure judgement of a change's content; documents in, findings out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# kind → what must be filled before anyone is asked to agree, as (path in the content, what to do).
_ALWAYS: tuple[tuple[str, str], ...] = (
    ("title", gettext_noop("Give it a title that an approver understands in a list.")),
    ("rationale", gettext_noop("Say why this should change, in a sentence or two.")),
)
_TARGET: tuple[tuple[str, str], ...] = (
    ("version", gettext_noop("Choose the version that should run.")),
    ("environment", gettext_noop("Choose the environment it should run in.")),
)
_PLANNED: tuple[tuple[str, str], ...] = (
    ("rollout_plan", gettext_noop("Describe how it is rolled out, step by step.")),
    ("rollback.trigger", gettext_noop("Say what would make you go back, as a measurable criterion.")),
    ("rollback.steps", gettext_noop("Describe how to go back.")),
)
_WAIVED: tuple[tuple[str, str], ...] = (
    ("waived_rule", gettext_noop("Name the rule to be waived by its key.")),
    ("compensating_control", gettext_noop("Say what protects people meanwhile.")),
    ("waiver_until", gettext_noop("Say until when; a waiver without an end is a rule change.")),
)
NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "deployment": _ALWAYS + _TARGET + _PLANNED,
    "retraining": _ALWAYS + _TARGET + _PLANNED,
    "rollback": _ALWAYS + _TARGET,
    "waiver": _ALWAYS + _WAIVED,
}


def needs(kind: str, path: str) -> bool:
    """Whether a change of this kind must fill this part of its content."""
    return any(path in (needed, needed.partition(".")[0]) for needed, _remedy in NEEDED.get(kind, ()))


def look_up(document: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, None where any part is absent."""
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def missing(content: dict[str, Any]) -> list[tuple[str, str]]:
    """(field, remedy) for all that a submission still needs; a kind without a list is refused as a whole."""
    needed = NEEDED.get(content["kind"])
    if needed is None:
        return [("kind", _("Nothing says what a change of kind %(kind)s needs.") % {"kind": content["kind"]})]
    found = [(path, _(remedy)) for path, remedy in needed if not _filled(look_up(content, path))]
    if look_up(content, "rollback.criteria") and not content.get("watch_days"):
        found.append(("watch_days", _("Say for how many days the rollback criteria are watched; with none, nobody would notice.")))
    return found + _odd_rows(content)


def _filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})


def _odd_rows(content: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name in ("tradeoffs", "testing_protocol"):
        rows = content.get(name) or []
        if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
            found.append((name, _("Write one entry per line.")))
    return found


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """What changed between two contents, as [{"field", "old", "new"}] in the order of the new one; `revision` is not a difference."""
    fields = [*new, *(name for name in old if name not in new)]
    return [
        {"field": name, "old": old.get(name), "new": new.get(name)}
        for name in fields
        if name != "revision" and old.get(name) != new.get(name)
    ]


def superseded(agreed_at: Any, others: list[tuple[Any, bool]]) -> bool:
    """True when another version was put at the same target after this agreement.

    `others`: (implemented_at, same version?) of the implemented changes at that target. An agreement was given
    against what ran then; once something else runs, it has to be asked again.
    """
    return any(not same and implemented_at > agreed_at for implemented_at, same in others)
