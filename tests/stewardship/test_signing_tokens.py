"""A signature exists only with a token that fits: one person, session, subject, content, meaning, once, in five minutes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from django.utils import timezone

from stewardship.journal.acting import acting
from stewardship.journal.record import FactsNeverChange
from stewardship.signing import mint as minting
from stewardship.signing.errors import CredentialRefused, ProgramsCannotSign, TokenRefused
from stewardship.signing.mint import authenticate, mint, token_for
from stewardship.signing.models import Meaning, Method, Signature, SigningToken
from stewardship.signing.session import signing_session
from stewardship.signing.sign import sign
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

SUBJECT = uuid.UUID("11111111-1111-4111-8111-111111111111")
DIGEST = "a" * 64
WHAT: dict[str, Any] = {"subject_kind": "change", "subject_id": SUBJECT, "digest": DIGEST, "meaning": Meaning.APPROVE}


def minted(cast: Cast, **changes: Any) -> str:
    return mint(**{"user": cast.users["bob"], "session_key": "s1", "method": "password", "credential": PASSWORD, **WHAT, **changes})


def test_a_signature_shows_name_time_and_meaning(cast: Cast) -> None:
    bob = cast.users["bob"]
    signature = sign(actor=bob, token=minted(cast), session_key="s1", **WHAT)
    assert (signature.printed_name, signature.meaning, signature.digest) == ("Bob Berger", Meaning.APPROVE, DIGEST)
    assert signature.method == Method.PASSWORD
    assert signature.actor_id == bob.pk
    assert timedelta(0) <= signature.at - signature.authenticated_at < timedelta(seconds=30)
    assert list(Signature.objects.about("change", SUBJECT)) == [signature]
    assert str(signature) == "Bob Berger, Approved"


def test_the_printed_name_stays_as_it_was(cast: Cast) -> None:
    bob = cast.users["bob"]
    signature = sign(actor=bob, token=minted(cast), session_key="s1", **WHAT)
    bob.full_name = "Robert Berger"
    with acting(bob, "married"):
        bob.save()
    signature.refresh_from_db()
    assert signature.printed_name == "Bob Berger"


def test_the_token_itself_is_not_stored(cast: Cast) -> None:
    plain = minted(cast)
    row = SigningToken.objects.get()
    assert plain not in {str(getattr(row, field.attname)) for field in row._meta.fields}
    assert row.token_hash == minting.hashed(plain)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digest": "b" * 64}, "content has changed"),
        ({"meaning": Meaning.REJECT}, "another decision"),
        ({"subject_id": uuid.uuid4()}, "something else"),
        ({"subject_kind": "waiver"}, "something else"),
        ({"session_key": "s2"}, "another session"),
        ({"token": "unknown"}, "not known"),
    ],
)
def test_what_does_not_fit_is_refused_and_consumes_nothing(cast: Cast, changes: dict[str, Any], said: str) -> None:
    token = minted(cast)
    with pytest.raises(TokenRefused, match=said) as refusal:
        sign(**{"actor": cast.users["bob"], "token": token, "session_key": "s1", **WHAT, **changes})
    assert refusal.value.remedy
    assert not Signature.objects.exists()
    assert sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)


def test_another_person_cannot_use_it(cast: Cast) -> None:
    with pytest.raises(TokenRefused, match="another person"):
        sign(actor=cast.users["dana"], token=minted(cast), session_key="s1", **WHAT)


def test_the_same_token_never_signs_twice(cast: Cast) -> None:
    token = minted(cast)
    sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)
    with pytest.raises(TokenRefused, match="used before"):
        sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)
    assert Signature.objects.count() == 1


def test_it_dies_after_five_minutes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    token = minted(cast)
    later = SigningToken.objects.get().expires_at
    monkeypatch.setattr("stewardship.signing.sign.timezone", SimpleNamespace(now=lambda: later))
    with pytest.raises(TokenRefused, match="expired"):
        sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)


def test_nobody_signs_after_leaving(cast: Cast) -> None:
    bob, token = cast.users["bob"], minted(cast)
    bob.is_active = False
    with acting(cast.users["frank"], "left"):
        bob.save()
    with pytest.raises(TokenRefused, match="not active"):
        sign(actor=bob, token=token, session_key="s1", **WHAT)


def test_an_undone_decision_gives_the_token_back(cast: Cast) -> None:
    token = minted(cast)
    with pytest.raises(RuntimeError), transaction.atomic():
        sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)
        raise RuntimeError("the decision was refused after the signature")
    assert sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)


def test_programs_cannot_sign(cast: Cast) -> None:
    with pytest.raises(ProgramsCannotSign, match="access token can never sign"):
        minted(cast, session_key="")
    with pytest.raises(ProgramsCannotSign):
        sign(actor=cast.users["bob"], token=minted(cast), session_key="", **WHAT)


def test_the_session_of_a_request(cast: Cast) -> None:
    request: Any = RequestFactory().post("/")
    for session, auth in ((None, None), (SimpleNamespace(session_key=None), None), (SimpleNamespace(session_key="s1"), object())):
        request.session, request.auth = session, auth
        with pytest.raises(ProgramsCannotSign):
            signing_session(request)
    request.auth = None
    assert signing_session(request) == "s1"


def test_a_series_is_one_check_and_one_token_each(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = authenticate(user=cast.users["bob"], session_key="s1", method="password", credential=PASSWORD)
    for letter in "ab":
        item = WHAT | {"digest": letter * 64}
        assert sign(actor=cast.users["bob"], token=token_for(proof, **item), session_key="s1", **item)
    later = proof.at + timedelta(minutes=5, seconds=1)
    monkeypatch.setattr("stewardship.signing.mint.timezone", SimpleNamespace(now=lambda: later))
    with pytest.raises(CredentialRefused, match="more than 5 minutes"):
        token_for(proof, **WHAT)


def test_a_digest_that_is_none_is_refused(cast: Cast) -> None:
    with pytest.raises(TokenRefused, match="no valid digest"):
        minted(cast, digest="")
    with pytest.raises(ValueError, match="is not a valid Meaning"):
        minted(cast, meaning="perhaps")


def test_the_database_holds_the_rules_too(cast: Cast) -> None:
    token = minted(cast)
    row = SigningToken.objects.get()
    for change in ({"expires_at": row.minted_at}, {"consumed_at": row.expires_at + timedelta(seconds=1)}, {"session_hash": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SigningToken.objects.filter(pk=row.pk).update(**change)
    signature = sign(actor=cast.users["bob"], token=token, session_key="s1", **WHAT)
    with pytest.raises(FactsNeverChange):
        signature.save()
    copy = Signature(**{field.attname: getattr(signature, field.attname) for field in Signature._meta.fields if field.name != "id"})
    with acting(cast.users["bob"], "forgery"), pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


def unsaved(cast: Cast, **changes: Any) -> Signature:
    """A signature that fits the only token there is, but for these changes."""
    token = SigningToken.objects.get()
    values = {name: getattr(token, name) for name in ("subject_kind", "subject_id", "digest", "meaning", "method", "authenticated_at")}
    return Signature(**{"signer_id": token.user_id, "token_id": token.pk, "printed_name": "Bob Berger", **values, **changes})


MISFITS: dict[str, Callable[[Cast], dict[str, Any]]] = {
    "person": lambda cast: {"signer_id": cast.users["dana"].pk},
    "digest": lambda cast: {"digest": "b" * 64},
    "meaning": lambda cast: {"meaning": Meaning.REJECT},
    "subject": lambda cast: {"subject_id": uuid.uuid4()},
    "kind of subject": lambda cast: {"subject_kind": "waiver"},
    "method": lambda cast: {"method": Method.TOTP},
    "time of proof": lambda cast: {"authenticated_at": timezone.now()},
    "token": lambda cast: {"token_id": uuid.uuid4()},
}


def inserted(fact: Any, actor: Any) -> None:
    """Past the model's own save, as a mistake in the code or the database account would."""
    fact.at, fact.actor_id = timezone.now(), actor.pk
    with transaction.atomic():
        fact.save_base(force_insert=True)


def test_no_signature_exists_beside_what_its_token_was_made_for(cast: Cast) -> None:
    bob = cast.users["bob"]
    minted(cast)
    SigningToken.objects.update(consumed_at=timezone.now())
    for what, change in MISFITS.items():
        misfit = unsaved(cast, **change(cast))
        with acting(bob, what), pytest.raises(TokenRefused, match="does not fit"):
            misfit.save()
        with pytest.raises(IntegrityError, match="consumed token"):
            inserted(misfit, bob)
    with acting(bob, "honest"):
        unsaved(cast).save()


def test_no_signature_exists_with_a_token_that_was_not_consumed(cast: Cast) -> None:
    bob = cast.users["bob"]
    minted(cast)
    with acting(bob, "forgery"), pytest.raises(TokenRefused, match="does not fit"):
        unsaved(cast).save()
    with pytest.raises(IntegrityError, match="consumed token"):
        inserted(unsaved(cast), bob)


def test_who_sees_signatures(cast: Cast) -> None:
    sign(actor=cast.users["bob"], token=minted(cast), session_key="s1", **WHAT)
    seen = {name: Signature.objects.allowed(cast.users[name], Signature.view_right).count() for name in ("bob", "dana", "frank", "charlie")}
    assert seen == {"bob": 1, "dana": 1, "frank": 0, "charlie": 0}
