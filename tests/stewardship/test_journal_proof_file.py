"""Notes, checkpoints and proof files: one spelling each, and nothing that is wrong is ever good."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stewardship.journal import leaf, merkle, offline
from stewardship.journal.note import Forged, NoteError, NotTrusted, Signer, TreeHead, Verifier, open_checkpoint, open_note, sign
from stewardship.journal.proof_file import Proof

ORIGIN = "log.example"
SIGNER = Signer(ORIGIN, b"\x07" * 32)
KEY = SIGNER.verifier
STRANGER = Signer(ORIGIN, b"\x08" * 32)


def _leaf(number: int, log: str = ORIGIN) -> bytes:
    head = dict.fromkeys(leaf.KEYS, "") | {"v": 1, "n": 1, "log": log, "tbl": "things", "hid": str(number), "op": "+", "at": "now"}
    head.pop("f")
    return leaf.build(head, {"name": f"thing {number}", "secret": "s"}, {"secret"}, lambda name: b"\x01" * 16)


LEAVES = [_leaf(number) for number in range(7)]
HASHES = [merkle.leaf_hash(data) for data in LEAVES]
TILE = b"".join(HASHES)
TREE = merkle.Tree(7, lambda level, index, width: TILE)
HEAD = TreeHead(ORIGIN, 7, TREE.root())
NOTE = sign(str(HEAD), [SIGNER])
PROOF = Proof(LEAVES[3], 3, TREE.inclusion(3), NOTE).write()


def test_a_proof_verifies_and_says_what_it_proves() -> None:
    outcome = offline.verify_proof(PROOF, [KEY])
    assert outcome.code == offline.GOOD
    assert outcome.leaf["hid"] == "3"
    assert outcome.document()["size"] == 7
    assert Proof.read(PROOF).write() == PROOF


def test_an_unknown_key_cannot_decide_and_a_false_signature_is_tampering() -> None:
    assert offline.verify_proof(PROOF, [STRANGER.verifier]).code == offline.UNDECIDED
    assert offline.verify_proof(PROOF, []).code == offline.UNDECIDED
    other = Signer("other.example", b"\x09" * 32)
    foreign = Proof(LEAVES[3], 3, TREE.inclusion(3), sign(str(HEAD), [other])).write()
    assert offline.verify_proof(foreign, [other.verifier]).code == offline.UNDECIDED  # a key speaks only for its own log
    forged = NOTE.replace("\n7\n", "\n8\n")
    with pytest.raises(Forged):
        open_note(forged, [KEY])


def test_a_leaf_of_another_log_is_refused() -> None:
    data = _leaf(0, "elsewhere.example")
    head = TreeHead(ORIGIN, 1, merkle.leaf_hash(data))
    outcome = offline.verify_proof(Proof(data, 0, [], sign(str(head), [SIGNER])).write(), [KEY])
    assert outcome.code == offline.TAMPERED
    assert "elsewhere.example" in outcome.text


def test_no_changed_character_is_ever_good() -> None:
    rng = random.Random(1)
    for _ in range(1_500):
        at = rng.randrange(len(PROOF))
        kind = rng.randrange(3)
        changed = PROOF[:at] + ("" if kind == 0 else rng.choice("aA0+/=\n —\x00\u2028")) + PROOF[at + (kind != 1) :]
        outcome = offline.verify_proof(changed, [KEY])
        assert changed == PROOF or outcome.code != offline.GOOD, (at, kind)


@given(
    st.text(max_size=400) | st.text(max_size=60).map(lambda text: PROOF[:120] + text) | st.text(max_size=60).map(lambda text: PROOF + text)
)
def test_garbage_never_crashes_and_never_verifies(text: str) -> None:
    assert text == PROOF or offline.verify_proof(text, [KEY]).code in (offline.TAMPERED, offline.UNDECIDED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 3", "index 03"),
        ("index 3", "index -3"),
        ("index 3", "index ٣"),
        ("index 3", "index 9223372036854775808999"),
        ("index 3", "place 3"),
        ("extra ", "extra  "),
        ("\n\nlog", "\nlog"),
        ("\n", "\r\n"),
    ],
)
def test_another_spelling_is_no_proof(old: str, new: str) -> None:
    with pytest.raises((NoteError, merkle.ProofError)):
        Proof.read(PROOF.replace(old, new, 1) if new != "\r\n" else PROOF.replace(old, new)).verify([KEY])


def test_limits_of_a_proof_file() -> None:
    for text in (PROOF + "x" * 300_000, Proof(b"", 0, [b"\0" * 32] * 64, NOTE).write(), Proof(b"", 0, [b"\0" * 31], NOTE).write()):
        with pytest.raises(NoteError):
            Proof.read(text)


def test_notes_are_read_strictly() -> None:
    text = "hello\n"
    good = sign(text, [SIGNER, STRANGER])
    assert open_note(good, [KEY]) == text
    line = SIGNER.line(text.encode())
    bad = [
        "x" * 1_000_001,
        "hello\n",
        good.rstrip("\n"),
        good.replace("hello", "hel\tlo"),
        "hel\ud800lo\n\n" + line,
        text + "\n" + line * 101,
        text + "\n" + line.replace("—", "-"),
        text + "\n— \n",
        text + f"\n— {ORIGIN} AAAA\n",
        text + f"\n— {ORIGIN} !!!!\n",
        text + f"\n— a+b {line.split(' ')[2]}",
    ]
    for note in bad:
        with pytest.raises(NoteError):
            open_note(note, [KEY])
    with pytest.raises(NotTrusted):
        open_note(good, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n",
        "log\n1\n",
        "\n1\nAAAA\n",
        "log\n01\n",
        f"log\n1\n{base64.b64encode(b'x' * 31).decode()}\n",
        f"log\n{'9' * 20}\nAAAA\n",
        "log\n-1\nAAAA\n",
    ],
)
def test_checkpoints_are_read_strictly(text: str) -> None:
    with pytest.raises(NoteError):
        TreeHead.parse(text)


def test_a_checkpoint_of_another_log_is_not_ours() -> None:
    assert open_checkpoint(NOTE, [KEY], ORIGIN) == HEAD
    with pytest.raises(NotTrusted):
        open_checkpoint(NOTE, [KEY], "other.example")


@pytest.mark.parametrize(
    "text", ["", "a+b", "a b+00000000+AAAA", f"{ORIGIN}+00000000+{str(KEY).split('+', 2)[2]}", f"{ORIGIN}+{KEY.id}+AAAA"]
)
def test_public_keys_are_read_strictly(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(text)
    with pytest.raises(NoteError):
        Signer.parse(f"PRIVATE+KEY+{text}")


def test_keys_survive_being_written() -> None:
    assert Verifier.parse(str(KEY)) == KEY
    assert Signer.parse(str(SIGNER)) == SIGNER
    with pytest.raises(NoteError):
        Signer.parse("nothing")
    assert offline.read_trust(f"# ours\n\n{KEY}\n") == [KEY]


def _evidence() -> dict[str, object]:
    return {
        "table": "things",
        "record": "3",
        "object": "",
        "op": "+",
        "at": "now",
        "actor": "",
        "values": {"name": "thing 3", "secret": "s"},
        "salts": {"secret": base64.b64encode(b"\x01" * 16).decode()},
        "proof": PROOF,
    }


def test_an_exported_row_is_checked_value_by_value() -> None:
    assert offline.check_evidence(_evidence(), [KEY]).code == offline.GOOD
    assert offline.check_evidence(_evidence(), []).code == offline.UNDECIDED
    wrong = [
        {"values": {"name": "thing 4", "secret": "s"}},
        {"values": {"name": "thing 3", "secret": "t"}},
        {"values": {"name": "thing 3"}},
        {"values": {"name": "thing 3", "secret": "s", "more": 1}},
        {"values": {"name": ["thing 3"], "secret": "s"}},
        {"salts": {}},
        {"salts": {"secret": "!"}},
        {"salts": []},
        {"actor": "somebody else"},
        {"record": "4"},
        {"proof": 7},
    ]
    for change in wrong:
        assert offline.check_evidence({**_evidence(), **change}, [KEY]).code == offline.TAMPERED, change
    assert offline.check_evidence({}, [KEY]).code == offline.TAMPERED


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, trust, bad = tmp_path / "a.tlog-proof", tmp_path / "trust", tmp_path / "bad"
    file.write_text(PROOF, encoding="utf-8")
    trust.write_text(f"{KEY}\n")
    bad.write_bytes(b"\xff\xfe")
    assert offline.main([str(file), "--trust", str(trust)]) == offline.GOOD
    assert offline.main([str(file), "--key", str(KEY), "--json"]) == offline.GOOD
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["outcome"] == "good"
    assert offline.main([str(file)]) == offline.UNDECIDED
    assert offline.main([str(bad), "--key", str(KEY)]) == offline.TAMPERED
    assert offline.main([str(tmp_path / "absent"), "--key", str(KEY)]) == offline.USAGE
    assert offline.main([str(file), "--key", "nonsense"]) == offline.USAGE
    assert offline.main([]) == offline.USAGE
    assert offline.main(["--help"]) == offline.GOOD


def test_it_runs_without_django(tmp_path: Path) -> None:
    file = tmp_path / "a.tlog-proof"
    file.write_text(PROOF, encoding="utf-8")
    root = Path(offline.__file__).resolve().parent.parent.parent
    code = "import sys; sys.modules['django'] = None\nfrom stewardship.journal.offline import main\nsys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, str(file), "--key", str(KEY)], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
