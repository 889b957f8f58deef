"""How a token is sent, described to OpenAPI; importing registers it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from stewardship.people.tokens import PREFIX, TokenAuthentication


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped in drf-spectacular
    """`Authorization: Bearer cnc_…` on every route of the API."""

    target_class = TokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme; issued on a person's profile page."""
        return {"type": "http", "scheme": "bearer", "description": f"An access token ({PREFIX}…), issued on the profile page."}
