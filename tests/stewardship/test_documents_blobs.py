"""Files by their content: stored once, found damaged, given only to those who may see what they belong to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from config.portal.errors import TooLarge
from stewardship.documents import blobs, media, owners
from stewardship.documents.errors import BlobCorrupt, MediaRefused
from stewardship.documents.models import Blob
from stewardship.people.models import User


def put(actor: User, data: bytes = b"hello", name: str = "a.txt", media_type: str = "text/plain") -> Blob:
    return blobs.store(data, name=name, media_type=media_type, actor=actor)


def test_the_same_bytes_are_one_file_whoever_brings_them(alice: User, bob: User) -> None:
    first = put(alice)
    assert put(bob, name="b.txt") == first
    assert first.read() == b"hello"
    assert (first.size, first.sha256) == (5, hashlib.sha256(b"hello").hexdigest())
    assert Blob.objects.get().actor_id == alice.pk


def test_who_loses_the_race_gets_the_winners_file(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    winner = put(alice)

    def taken(self: Blob, **kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(Blob, "save", taken)
    assert blobs._insert(Blob(sha256=winner.sha256)) == winner


def test_a_changed_and_a_missing_file_are_noticed(alice: User) -> None:
    blob = put(alice)
    blob.path.write_bytes(b"hullo")
    with pytest.raises(BlobCorrupt, match="changed after"):
        blob.read()
    blob.path.unlink()
    with pytest.raises(BlobCorrupt, match="not in the store"):
        blob.read()
    assert put(alice).read() == b"hello"  # whoever brings the bytes again repairs it


def test_nothing_is_left_behind_when_writing_fails(alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        put(alice)
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert not Blob.objects.exists()


def test_too_large_is_said_with_both_numbers(alice: User, settings: Any) -> None:
    settings.MAX_BLOB_BYTES = 4
    with pytest.raises(TooLarge, match="5 bytes; at most 4"):
        put(alice)


@pytest.mark.parametrize(
    ("given", "kept"), [("../../etc/passwd", "passwd"), ("C:\\x\\y.txt", "y.txt"), ("a\r\nb", "ab"), ("", "file"), ("\x00", "file")]
)
def test_names_lose_paths_and_control_characters(alice: User, given: str, kept: str) -> None:
    assert put(alice, name=given).name == kept


@pytest.mark.parametrize(
    ("data", "media_type", "why"),
    [
        (b"<svg/>", "image/svg+xml", "not accepted"),
        (b"hello", "application/pdf", "first bytes do not"),
        (b"PK\x03\x04", "text/csv", "those of application/zip"),
        (b"a\xffb", "application/json", "byte 1 is not UTF-8"),
    ],
)
def test_bytes_that_contradict_their_type_are_refused(alice: User, data: bytes, media_type: str, why: str) -> None:
    with pytest.raises(MediaRefused, match=why):
        put(alice, data, media_type=media_type)


def test_every_accepted_type_has_an_example() -> None:
    for media_type, starts in media.MAGIC.items():
        assert all(media.contradiction(start + b"rest", media_type) == "" for start in starts)
    assert media.contradiction(b"anything \xff", media.OCTETS) == ""


# --- the download ---------------------------------------------------------------------------------


@pytest.fixture
def ask(client: Client) -> Any:
    def get(person: User, blob: Blob) -> Any:
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client.get(f"/files/{blob.pk}/")

    return get


def test_whoever_brought_it_may_have_it_back_as_a_download(ask: Any, charlie: User) -> None:
    answer = ask(charlie, put(charlie, b"<script>alert(1)</script>", name='x".html'))
    assert answer.status_code == 200
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_for_everybody_else_there_is_no_such_file(ask: Any, alice: User, charlie: User) -> None:
    assert ask(charlie, put(alice)).status_code == 404
    assert ask(charlie, Blob(sha256="0" * 64)).status_code == 404


def test_whoever_sees_what_it_belongs_to_may_read_it(ask: Any, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_owners", dict(owners._owners))
    owners.register("test", lambda user, blob: user == charlie)
    assert ask(charlie, put(alice)).status_code == 200


def test_a_stranger_is_asked_to_log_in(client: Client, alice: User) -> None:
    assert client.get(f"/files/{put(alice).pk}/").status_code == 302
