"""Turns waiting rows into entries of the tree, in batches, and has each batch signed.

The batch is one transaction: outbox rows out, entries, tiles and checkpoint in. Signing and publishing follow after the
commit and resume by themselves, so a process may die on any line.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from stewardship.journal import leaf, merkle
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID
from stewardship.journal.keys import ensure_key
from stewardship.journal.models import Checkpoint, Entry, Outbox, Secret, Tile, note_event
from stewardship.journal.publish import publish, read_tile
from stewardship.journal.snapshot import leniently, printable
from stewardship.journal.stored import Among, few_collections, utc
from stewardship.journal.tables import SCHEMA_TABLE, Row, by_table

logger = logging.getLogger(__name__)
LOCK: Final = 0x636F6E63  # "conc": our advisory lock on PostgreSQL; SQLite's immediate transaction is one already
BATCH: Final = 2000  # rows of one transaction
GONE: Final = "x"  # the operation of a leaf whose row was no longer there
UNREADABLE: Final = "?"  # and of one whose row holds what no column of ours can: it goes on record without its values


@dataclass(frozen=True)
class Waiting:
    """One outbox row."""

    seq: int
    tbl: str
    hid: str
    obj: str
    recorded: datetime


@dataclass(frozen=True)
class Draft:
    """A leaf before it has its place."""

    waiting: Waiting
    row: Row
    schema: str
    personal: frozenset[str]


def sequence(limit: int = BATCH, *, wait: bool = True) -> int:
    """Sequence up to `limit` waiting rows, sign and publish; how many entries were made.

    Never part of a caller's transaction (raises RuntimeError there). With `wait=False` it leaves the work to whoever
    holds a lock.
    """
    _refuse_inside_a_transaction()
    ensure_key()
    made = _one_batch(limit, wait=wait)
    publish(wait=wait)
    return made


def settle() -> int:
    """Sequence until nothing waits and the checkpoint is signed; how many entries were made."""
    _refuse_inside_a_transaction()
    ensure_key()
    total = 0
    while Outbox.objects.exists():
        total += _one_batch(BATCH, wait=True)
    publish()
    return total


def _refuse_inside_a_transaction() -> None:
    """What `durable=True` says, and also when nothing waits: a checkpoint must not be published before its commit."""
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:
        raise RuntimeError("Sequencing is durable: it cannot be part of another transaction.")


def _one_batch(limit: int, *, wait: bool) -> int:
    return leniently(lambda: _sequence(limit, wait)) if Outbox.objects.exists() else 0


def _sequence(limit: int, wait: bool) -> int:
    with transaction.atomic(durable=True), few_collections():
        return _batch(limit) if _lock(wait) else 0


def _lock(wait: bool) -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _batch(limit: int) -> int:
    waiting = _take(limit)
    if not waiting:
        return 0
    drafts = _with_schemas(_drafts(waiting))
    if not drafts:
        return 0
    size = _size()
    hashes = _write_entries(size, drafts)
    _write_tiles(size, hashes)
    new_size = size + len(hashes)
    root = merkle.Tree(new_size, read_tile).root()
    Checkpoint(size=new_size, root=root.hex(), made_at=timezone.now()).save(force_insert=True)
    return len(hashes)


def _take(limit: int) -> list[Waiting]:
    """Remove the oldest waiting rows. Deleting finds rows of late commits; a remembered position would miss them."""
    table = Outbox._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} ORDER BY seq LIMIT %s) "  # noqa: S608 - our own name
            "RETURNING seq, tbl, hid, obj, recorded",
            [limit],
        )
        rows = cursor.fetchall()
    found = (Waiting(seq, printable(tbl), printable(hid), printable(obj), _time(at)) for seq, tbl, hid, obj, at in rows)
    return sorted(found, key=lambda item: item.seq)


def _time(value: Any) -> datetime:
    """SQLite hands over text in UTC. A clock that no trigger wrote is replaced by ours: the row must not wait for ever."""
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(f"{value}+00:00")
    except ValueError:
        return timezone.now()


def _size() -> int:
    last = Checkpoint.objects.order_by("-size").first()
    return last.size if last else 0


def _drafts(waiting: list[Waiting]) -> list[Draft]:
    """The live rows behind the waiting ones, one query per table; a row whose entry is in the tree already is left out."""
    unique = {(item.tbl, item.hid): item for item in waiting}
    made: dict[tuple[str, str], Draft] = {}
    for tbl in {item.tbl for item in unique.values()}:
        hids = [hid for table, hid in unique if table == tbl]
        done = _entered(tbl, hids)
        todo = [hid for hid in hids if hid not in done]
        shape = by_table().get(tbl)
        rows, unreadable = shape.read(todo) if shape and todo else ({}, {})
        for hid in todo:
            item = unique[(tbl, hid)]
            row = rows.get(hid)
            if row is None or shape is None:
                # Somebody removed the row behind the triggers' back, or put in what no column holds: that, too, goes on record.
                made[(tbl, hid)] = _without_values(item, UNREADABLE if hid in unreadable else GONE)
            else:
                made[(tbl, hid)] = Draft(item, row, shape.schema_id, shape.personal)
    return [made[key] for key in unique if key in made]


def _without_values(item: Waiting, op: str) -> Draft:
    return Draft(item, Row(item.hid, item.obj, op, utc(item.recorded), str(SYSTEM_USER_ID), {}), "", frozenset())


def _entered(tbl: str, hids: list[str]) -> set[str]:
    """Those of a table's waiting rows that have an entry. An entry that is not in the tree was put there by somebody: an event says so."""
    done = set()
    for index, hid, payload in Entry.objects.filter(Among(F("hid"), hids), tbl=tbl).values_list("index", "hid", "payload"):
        done.add(hid)
        if _in_tree(index, payload):
            logger.warning("%s %s waits, but has an entry already.", tbl, hid)
        else:
            logger.error("%s %s waits, but somebody has put an entry for it outside the tree.", tbl, hid)
            note_event("journal.entry.forged", {"table": tbl, "record": hid, "entry": printable(index)}, actor=SYSTEM)
    return done


def _in_tree(index: Any, payload: Any) -> bool:
    if not isinstance(index, int) or not 0 <= index < _size():
        return False
    number, place = divmod(index, merkle.TILE)
    return read_tile(0, number, place + 1)[place * 32 :] == merkle.leaf_hash(str(payload).encode(errors="surrogatepass"))


def _with_schemas(drafts: list[Draft]) -> list[Draft]:
    """The drafts, with the leaf of each schema that was not used before in front."""
    used = {draft.schema: draft for draft in drafts if draft.schema}
    known = set(Entry.objects.filter(tbl=SCHEMA_TABLE, hid__in=used).values_list("hid", flat=True))
    fresh = []
    for schema_id, draft in used.items():
        shape = by_table()[draft.waiting.tbl]
        if schema_id not in known:
            now = timezone.now()
            waiting = Waiting(0, SCHEMA_TABLE, schema_id, f"schema:{shape.table}"[:64], now)
            row = Row(schema_id, waiting.obj, "+", utc(now), str(SYSTEM_USER_ID), shape.schema)
            fresh.append(Draft(waiting, row, schema_id, frozenset()))
    return fresh + drafts


def _last_of(objects: Iterable[str]) -> dict[str, tuple[str, int]]:
    """object → (leaf hash of its latest entry, how many it has)."""
    wanted = list(objects)
    table = Entry._meta.db_table
    found: dict[str, tuple[str, int]] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            marks = ",".join(["%s"] * len(some))
            cursor.execute(
                f"SELECT e.obj, e.leaf_hash, e.n FROM {table} e JOIN (SELECT obj, MAX(n) AS n FROM {table} "  # noqa: S608 - our own names
                f"WHERE obj IN ({marks}) GROUP BY obj) last ON last.obj = e.obj AND last.n = e.n",
                some,
            )
            found.update({obj: (bytes(hashed).hex(), n) for obj, hashed, n in cursor.fetchall()})
    return found


def _write_entries(size: int, drafts: list[Draft]) -> list[bytes]:
    """Build and insert the entries; their leaf hashes in order."""
    chain = _last_of({draft.row.obj for draft in drafts})
    entries: list[tuple[Any, ...]] = []
    salts: list[tuple[str, str, str, bytes]] = []
    hashes: list[bytes] = []
    for index, draft in enumerate(drafts, start=size):
        prev, n = chain.get(draft.row.obj, ("", 0))
        try:
            payload = _payload(draft, prev, n + 1, salts)
        except leaf.LeafError:
            draft = Draft(draft.waiting, replace(draft.row, op=UNREADABLE, values={}), "", frozenset())
            payload = _payload(draft, prev, n + 1, salts)
        hashed = merkle.leaf_hash(payload)
        hashes.append(hashed)
        chain[draft.row.obj] = (hashed.hex(), n + 1)
        row = draft.row
        entries.append((index, draft.waiting.tbl, row.hid, row.obj, n + 1, prev, payload.decode(), hashed))
    _insert(Entry._meta.db_table, ("idx", "tbl", "hid", "obj", "n", "prev", "payload", "leaf_hash"), entries)
    _insert(Secret._meta.db_table, ("tbl", "hid", "field", "salt"), salts)
    return hashes


def _payload(draft: Draft, prev: str, n: int, salts: list[tuple[str, str, str, bytes]]) -> bytes:
    given: dict[str, bytes] = {}

    def salt(field: str) -> bytes:
        return given.setdefault(field, os.urandom(16))

    row = draft.row
    head = {
        "v": leaf.VERSION,
        "log": settings.JOURNAL_ORIGIN,
        "tbl": draft.waiting.tbl,
        "hid": row.hid,
        "obj": row.obj,
        "op": row.op,
        "at": row.at,
        "recorded": utc(draft.waiting.recorded),
        "actor": row.actor,
        "schema": draft.schema,
        "nonce": base64.b64encode(os.urandom(16)).decode(),
        "prev": prev,
        "n": n,
    }
    payload = leaf.build(head, row.values, draft.personal, salt)
    salts.extend((draft.waiting.tbl, row.hid, field, value) for field, value in given.items())
    return payload


def _insert(table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Many rows by the driver itself: the ORM's own way costs more than hashing them."""
    if not rows:
        return
    marks = ",".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - our own names


def _write_tiles(size: int, hashes: list[bytes]) -> None:
    partial = {level: read_tile(level, full, width) for level, full, width in merkle.tile_widths(size) if width}
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {Tile._meta.db_table} (level, idx, data) VALUES (%s, %s, %s) "  # noqa: S608 - our own name
            "ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data",
            list(merkle.append(size, hashes, partial)),
        )
