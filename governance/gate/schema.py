"""The gate's plain views, described to OpenAPI: named in SPECTACULAR_SETTINGS as a postprocessing hook."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string", "maxLength": 500}
QUESTION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model", "environment", "region"],
    "description": "Exactly one of version and digest.",
    "properties": {
        "model": _TEXT | {"description": "Short name of the model."},
        "version": _TEXT | {"description": "Label of the version."},
        "digest": _TEXT | {"description": "SHA-256 of its artifact, in hex."},
        "environment": _TEXT | {"description": "Short name of the environment."},
        "region": _TEXT | {"description": "Code of the region."},
    },
}
REASON = {"type": "object", "properties": {name: {"type": "string"} for name in ("rule", "text", "remedy", "who")}}
ANSWER = {
    "type": "object",
    "required": ["id", "verdict", "reasons", "alternatives", "permit"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "Where the answer is written down."},
        "verdict": {"enum": ["allow", "deny", "undecided"]},
        "reasons": {"type": "array", "items": REASON},
        "alternatives": {"type": "array", "items": {"type": "object"}},
        "permit": {"type": ["string", "null"], "description": "A signed permit (JWS, EdDSA) to be checked offline."},
    },
}
PROBLEM = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "field", "remedy")},
        "status": {"type": "integer"},
    },
}
KEYS = {"type": "object", "required": ["keys"], "properties": {"keys": {"type": "array", "items": {"type": "object"}}}}


def describe(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the question and the key to the generated document."""
    refused = {"content": {"application/problem+json": {"schema": PROBLEM}}}
    result["paths"]["/api/v1/gate/"] = {
        "post": {
            "operationId": "gate_ask",
            "summary": "May this version go to this environment of this region?",
            "tags": ["gate"],
            "security": [{"bearer": []}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": QUESTION}}},
            "responses": {
                "200": {"description": "The answer; a no is an answer too.", "content": {"application/json": {"schema": ANSWER}}},
                "400": {"description": "The question cannot be understood.", **refused},
                "401": {"description": "No live token.", **refused},
                "403": {"description": "This account may not ask.", **refused},
                "404": {"description": "No such version that this account may ask about.", **refused},
                "413": {"description": "Too large.", **refused},
            },
        }
    }
    result["paths"]["/api/v1/gate/key/"] = {
        "get": {
            "operationId": "gate_key",
            "summary": "The public key of permits, as a JSON Web Key Set",
            "tags": ["gate"],
            "security": [],
            "responses": {"200": {"description": "The keys.", "content": {"application/json": {"schema": KEYS}}}},
        }
    }
    return result
