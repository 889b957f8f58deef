"""Signatures, the one-use tokens they consume, and the count of failed attempts."""

from stewardship.signing.models.attempts import Attempts as Attempts
from stewardship.signing.models.signature import Signature as Signature
from stewardship.signing.models.token import Meaning as Meaning
from stewardship.signing.models.token import Method as Method
from stewardship.signing.models.token import SigningToken as SigningToken
