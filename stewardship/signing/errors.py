"""What this slice refuses, each with the reason in words."""

from config.portal.errors import Conflict, Forbidden, Invalid


class CredentialRefused(Invalid):
    """The password or code was wrong, used before, or tried too often."""


class NoMethod(Forbidden):
    """The person has no way to prove who they are at the moment of signing."""


class TokenRefused(Conflict):
    """The signing token does not fit: used, expired, or bound to something else."""


class ProgramsCannotSign(Forbidden):
    """A request that came with an access token, or without a session, asked for a signature."""
