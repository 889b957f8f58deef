"""The plain views, described to OpenAPI: named in SPECTACULAR_SETTINGS as a postprocessing hook."""

from __future__ import annotations

from typing import Any

from monitoring.signals.adapters.native import EVENT_TYPE, MOST_FACTS

_TEXT = {"type": "string", "maxLength": 200}
_MOMENT = {"type": "string", "format": "date-time"}
FACT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model", "metric", "value", "start", "end"],
    "properties": {
        "model": _TEXT | {"minLength": 1, "description": "Short name of the model."},
        "metric": _TEXT | {"minLength": 1, "description": "Key of a metric of the catalogue."},
        "value": {"type": "number"},
        "start": _MOMENT,
        "end": _MOMENT | {"description": "Event time; at most 5 minutes ahead of the clock."},
        "n": {"type": ["integer", "null"], "minimum": 0, "description": "Sample size."},
        "version": _TEXT,
        "environment": _TEXT,
        "region": _TEXT,
        "method": _TEXT,
        "subject": _TEXT,
        "unit": _TEXT,
        "direction": {"enum": ["higher_is_worse", "lower_is_worse", "outside_range", None]},
        "baseline": _TEXT,
        "source_threshold": {"type": ["number", "null"]},
        "source_verdict": {"enum": ["ok", "warn", "fail", "error", "skipped", None]},
    },
}
SIGNAL: dict[str, Any] = {
    **FACT,
    "required": ["id", *FACT["required"]],
    "properties": {"id": _TEXT | {"minLength": 1, "description": "The sender's identity of this fact."}, **FACT["properties"]},
}
BATCH = {
    "type": "object",
    "additionalProperties": False,
    "required": ["signals"],
    "properties": {"source": _TEXT, "signals": {"type": "array", "minItems": 1, "maxItems": MOST_FACTS, "items": SIGNAL}},
}
EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {"specversion": {"const": "1.0"}, "id": _TEXT, "source": _TEXT, "type": {"const": EVENT_TYPE}, "data": FACT},
}
PROBLEM = {
    "type": "object",
    "properties": {"index": {"type": ["integer", "null"]}, "field": {"type": "string"}, "message": {"type": "string"}},
}
RECEIPT = {
    "type": "object",
    "required": ["batch", "received", "accepted", "duplicates", "quarantined", "problems"],
    "properties": {
        "batch": {"type": ["string", "null"], "format": "uuid"},
        **{name: {"type": "integer", "minimum": 0} for name in ("received", "accepted", "duplicates", "quarantined")},
        "problems": {"type": "array", "items": PROBLEM},
    },
}
REFUSED = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "field", "remedy")},
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": PROBLEM},
    },
}


def _operation(name: str, summary: str, content: dict[str, Any]) -> dict[str, Any]:
    refused = {"content": {"application/problem+json": {"schema": REFUSED}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["signals"],
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": {"description": "Stored and judged.", "content": {"application/json": {"schema": RECEIPT}}},
            "400": {"description": "Wrong; nothing was stored.", **refused},
            "401": {"description": "No live token.", **refused},
            "403": {"description": "This account may not send.", **refused},
            "404": {"description": "No such source under this account.", **refused},
            "413": {"description": "Too large.", **refused},
        },
    }


def describe(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the two ways in to the generated document."""
    native = {
        "application/json": {"schema": BATCH},
        "application/cloudevents+json": {"schema": EVENT},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": EVENT}},
    }
    foreign = {"application/json": {"schema": {"type": "object", "description": "A body in the source's own format."}}}
    signals = _operation("signals_create", "Send measured windows", native)
    signals["parameters"] = [{"name": "source", "in": "query", "schema": {"type": "string"}, "description": "Key of the source."}]
    inbound = _operation("inbound_create", "Send a monitoring service's own body", foreign)
    inbound["parameters"] = [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}]
    result["paths"]["/api/v1/signals/"] = {"post": signals}
    result["paths"]["/api/v1/inbound/{key}/"] = {"post": inbound}
    schemes = result.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes.setdefault("bearer", {"type": "http", "scheme": "bearer"})
    return result
