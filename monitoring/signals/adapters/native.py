"""Our own format: `{"signals": [...]}`, or the same facts as CloudEvents 1.0, one or a batch.

CloudEvents carry the fact in `data`; its identity is the event's `source` and `id`, as that specification demands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext as _

from monitoring.signals.adapters import decode
from monitoring.signals.errors import BodyRefused, ItemError
from monitoring.signals.neutral import Kind, Neutral

EVENT_TYPE = "concordat.signal.v1"
MOST_FACTS = 5000
LARGEST = Decimal(10) ** 15
# Beyond these years a change of zone can leave what a calendar can express.
EARLIEST, LATEST = 1970, 9000
# Twelve places and fifteen digits survive on every database we support.
PLACES = Decimal(1).scaleb(-12)
DIGITS = Context(prec=15)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=decode.NO_NUL)]
Optional = Annotated[str, msgspec.Meta(max_length=200, pattern=decode.NO_NUL)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Direction = Literal["higher_is_worse", "lower_is_worse", "outside_range"]


class Fact(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One measured window, as documented for senders."""

    model: Name
    metric: Name
    value: Any  # a number; typed by hand, because a typed Decimal would accept text
    start: Moment
    end: Moment
    version: Optional = ""
    environment: Optional = ""
    region: Optional = ""
    method: Optional = ""
    subject: Optional = ""
    n: Count | None = None
    unit: Optional = ""
    direction: Direction | None = None
    baseline: Optional = ""
    source_threshold: Any = None
    source_verdict: Literal["ok", "warn", "fail", "error", "skipped"] | None = None


class NamedFact(Fact, forbid_unknown_fields=True, kw_only=True):
    """A fact outside an envelope brings its own identity."""

    id: Name


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    signals: list[msgspec.Raw]
    source: str = ""  # which registered source; read by the edge


class Event(msgspec.Struct, kw_only=True):
    """A CloudEvents envelope; extension attributes are allowed there, unknown fields in `data` are not."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["concordat.signal.v1"]
    data: msgspec.Raw


_body = msgspec.json.Decoder(Body)
_named = msgspec.json.Decoder(NamedFact, float_hook=Decimal)
_fact = msgspec.json.Decoder(Fact, float_hook=Decimal)
_event = msgspec.json.Decoder(Event)
_raws = msgspec.json.Decoder(list[msgspec.Raw])


def parse(body: bytes, content_type: str, mapping: Mapping[str, Any]) -> list[Neutral]:
    """Every fact of a native body; raises BodyRefused with one error per fact that is wrong."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/cloudevents+json":
        return _events([msgspec.Raw(body)], body)
    if kind == "application/cloudevents-batch+json":
        return _events(decode.whole(_raws, body, _("a JSON list of CloudEvents")), body)
    return _plain(decode.whole(_body, body, "JSON").signals)


def _plain(raws: list[msgspec.Raw]) -> list[Neutral]:
    _check_size(len(raws))
    errors: list[ItemError] = []
    found = [(index, fact) for index, raw in enumerate(raws) if (fact := decode.item(_named, raw, index, errors)) is not None]
    return _neutral(((index, fact.id, fact) for index, fact in found), errors)


def _events(raws: list[msgspec.Raw], body: bytes) -> list[Neutral]:
    _check_size(len(raws))
    errors: list[ItemError] = []
    found: list[tuple[int, str, Fact]] = []
    for index, raw in enumerate(raws):
        try:
            event = decode.item(_event, raw, index, errors)
        except msgspec.DecodeError as error:
            raise BodyRefused([ItemError(None, "body", _("This is not %(what)s: %(why)s.") % {"what": "JSON", "why": error})]) from error
        if event is None:
            continue
        if len(event.source) + len(event.id) > 199:
            errors.append(ItemError(index, "id", _("Source and id together are longer than 199 characters.")))
            continue
        fact = decode.item(_fact, event.data, index, errors)
        if fact is not None:
            found.append((index, f"{event.source}#{event.id}", fact))
    return _neutral(found, errors)


def _check_size(count: int) -> None:
    if not count:
        raise BodyRefused([ItemError(None, "signals", _("There is no signal in this body."))])
    if count > MOST_FACTS:
        problem = _("At most %(most)d signals fit in one body; this has %(count)d.") % {"most": MOST_FACTS, "count": count}
        raise BodyRefused([ItemError(None, "signals", problem)])


def _neutral(found: Iterable[tuple[int, str, Fact]], errors: list[ItemError]) -> list[Neutral]:
    facts: list[Neutral] = []
    for index, identity, fact in found:
        wrong = list(_impossible(index, fact))
        errors.extend(wrong)
        if not wrong:
            facts.append(_one(index, identity, fact))
    if errors:
        raise BodyRefused(sorted(errors, key=lambda error: -1 if error.index is None else error.index))
    return facts


def _impossible(index: int, fact: Fact) -> Iterable[ItemError]:
    for name, value in (("value", fact.value), ("source_threshold", fact.source_threshold)):
        if value is None and name != "value":
            continue
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            yield ItemError(index, name, _("Expected a number, got `%(kind)s`.") % {"kind": type(value).__name__})
        elif not Decimal(value).is_finite() or abs(Decimal(value)) >= LARGEST:
            yield ItemError(index, name, _("This must be a finite number below 10^15."))
    odd = [name for name, at in (("start", fact.start), ("end", fact.end)) if not EARLIEST <= at.year <= LATEST]
    for name in odd:
        yield ItemError(index, name, _("No window lies in that year."))
    if not odd and fact.end < fact.start:
        yield ItemError(index, "end", _("The window ends before it starts."))


def _one(index: int, identity: str, fact: Fact) -> Neutral:
    context: dict[str, Any] = {}
    if fact.baseline:
        context["baseline"] = fact.baseline
    if fact.source_threshold is not None:
        context["source_threshold"] = fact.source_threshold
    if fact.source_verdict is not None:
        context["source_verdict"] = fact.source_verdict
    return Neutral(
        external_id=identity,
        kind=Kind.MEASUREMENT,
        position=index,
        start=fact.start.astimezone(UTC),
        end=fact.end.astimezone(UTC),
        model=fact.model,
        version=fact.version,
        environment=fact.environment,
        region=fact.region,
        metric=fact.metric,
        method=fact.method,
        subject=fact.subject,
        value=exact(Decimal(fact.value)),
        n=fact.n,
        unit=fact.unit,
        direction=fact.direction or "",
        context=context,
    )


def exact(value: Decimal) -> Decimal:
    """The value at the precision that is stored: fifteen digits, twelve places."""
    return DIGITS.plus(value).quantize(PLACES, context=Context(prec=40))
