"""The house holds its own rules: names are data, relations point down, one place decides, governed rows move one at a time."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models

from config.portal.permission import Restricted
from stewardship.journal.record import Fact, GovernedQuerySet, HistoryBypassed, Recorded

ROOT = Path(__file__).parents[1]
FLOORS = ("config.portal", "stewardship", "monitoring", "governance")
DATA = ROOT / "demo" / "data"

# Writes windows by the thousand; those are derived of journalled batches and have no history.
FAST_WRITER = "monitoring/signals/bulk.py"

# A name that is also a word of another trade: file → what it means there.
OTHER_MEANINGS = {
    ("config/settings.py", "de"): "the language, not the country",
}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the application, by its path."""
    for folder in folders or ("config", "stewardship", "monitoring", "governance"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every text that the program uses; docstrings explain and are left out."""
    explains = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explains:
            yield node


def demo_names() -> dict[str, set[str]]:
    """Names and short names of what the worked example configures: places, roles, frameworks; tiers have numbers only."""
    organisation, people, rules = (tomllib.loads((DATA / f"{name}.toml").read_text()) for name in ("organisation", "people", "rules"))
    return {
        "region": {region[key].lower() for region in organisation["regions"] for key in ("code", "name")},
        "role": {role[key].lower() for role in people["roles"] for key in ("slug", "name")},
        "framework": {framework[key].lower() for framework in rules["frameworks"] for key in ("slug", "name")},
    }


def test_no_role_region_or_framework_is_named_in_code() -> None:
    names = demo_names()
    assert all(len(found) >= 4 for found in names.values()), names
    named = [
        f"{path}:{text.lineno} names the {kind} {text.value!r}"
        for path, tree in sources()
        for text in strings(tree)
        for kind, known in names.items()
        if text.value.strip().lower() in known and (path, text.value) not in OTHER_MEANINGS
    ]
    assert named == []


def test_no_sentence_of_the_code_speaks_of_a_framework_or_a_long_name() -> None:
    long = {name for known in demo_names().values() for name in known if len(name) > 6 and (" " in name or "-" in name)}
    named = [
        f"{path}:{text.lineno} speaks of {name!r}"
        for path, tree in sources()
        for text in strings(tree)
        for name in long
        if name in text.value.lower()
    ]
    assert named == []


def test_no_code_compares_a_tier_with_a_number() -> None:
    """What a tier means is said by policies and routes; the code may know that there are tiers, not which one is strict."""
    compared = [
        f"{path}:{node.lineno}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and (getattr(node.left, "attr", "") == "tier" or getattr(node.left, "id", "") == "tier")
        and any(isinstance(other, ast.Constant) and isinstance(other.value, int) for other in node.comparators)
    ]
    assert compared == []


def _floor(model: type[models.Model]) -> int | None:
    found = [index for index, floor in enumerate(FLOORS) if model.__module__.startswith(floor)]
    return found[0] if found else None


def test_no_relation_points_up() -> None:
    """Neither by a class nor by a string; what other packages bring is below everything, and so is whoever is signed in."""
    upward = []
    for model in apps.get_models(include_auto_created=True):
        here = _floor(model)
        for field in model._meta.get_fields():
            target: Any = field.related_model if field.is_relation and not field.auto_created else None
            if not isinstance(target, type) or here is None or target is get_user_model():
                continue
            there = _floor(target)
            if there is not None and there > here:
                upward.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    assert upward == []


def _governed() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if issubclass(model, Recorded | Fact)]


def test_within_a_floor_relations_point_to_slices_on_the_left() -> None:
    import_rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    order = {
        f"{contract['containers'][0]}.{slice_}": position
        for contract in import_rules
        if contract["type"] == "layers" and "containers" in contract
        for position, slice_ in enumerate(reversed(contract["layers"]))
    }
    assert len(order) > 20
    wrong = []
    for model in apps.get_models():
        here = ".".join(model.__module__.split(".")[:2])
        for field in model._meta.get_fields():
            target: Any = field.related_model if field.is_relation and not field.auto_created else None
            there = ".".join(target.__module__.split(".")[:2]) if isinstance(target, type) else ""
            same_floor = here.partition(".")[0] == there.partition(".")[0]
            if here in order and there in order and same_floor and order[there] > order[here]:
                wrong.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    assert wrong == []


def test_only_access_knows_guardian_and_nobody_asks_has_perm() -> None:
    """guardian's own answers ignore the dates of grants, and has_perm says no where the list shows the row."""
    asked = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"has_perm", "has_perms", "has_module_perms", "get_all_permissions"}:
                asked.append(f"{path}:{node.lineno} asks {node.attr}")
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if (module.startswith("guardian") or any(name.startswith("guardian") for name in names)) and not path.startswith(
                "stewardship/access/"
            ):
                asked.append(f"{path}:{node.lineno} imports guardian")
    assert asked == []


@pytest.mark.parametrize("model", _governed(), ids=lambda model: model._meta.label)
def test_governed_rows_are_never_written_in_bulk(model: type[models.Model]) -> None:
    """Such writes leave no history; the queryset refuses them before any SQL."""
    rows: Any = model._default_manager.all()
    assert isinstance(rows, GovernedQuerySet), f"{model._meta.label} has a queryset of its own kind"
    for act in (
        lambda: rows.update(pk=None),
        lambda: rows.delete(),
        lambda: rows.bulk_create([]),
        lambda: rows.bulk_update([], ["pk"]),
    ):
        with pytest.raises(HistoryBypassed):
            act()


@pytest.mark.parametrize("model", _governed(), ids=lambda model: model._meta.label)
def test_governed_rows_say_who_may_see_them(model: type[models.Model]) -> None:
    from stewardship.access.rights import is_defined

    assert isinstance(model._default_manager.all(), Restricted)
    assert getattr(model, "access_paths", None) is not None, "no access_paths"
    assert is_defined(str(getattr(model, "view_right", ""))), "no view_right that a slice has registered"


def test_nobody_walks_around_the_querysets() -> None:
    """Base managers write unseen, and raw SQL too: only the journal, which watches over both, may use them."""
    around = []
    for path, tree in sources():
        if path.startswith(("stewardship/journal/", "config/portal/health.py", FAST_WRITER)):
            continue
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            chain = ast.unparse(node.func)
            if node.func.attr in {"update", "bulk_create", "bulk_update", "delete"} and "_base_manager" in chain:
                around.append(f"{path}:{node.lineno} {chain}")
            if node.func.attr in {"raw", "_raw_delete", "extra"} or chain in {"connection.cursor", "cursor.execute", "cursor.executemany"}:
                around.append(f"{path}:{node.lineno} {chain}")
    assert around == []


def test_the_fast_writer_writes_plain_rows_only() -> None:
    governed = {model.__name__ for model in _governed() if model.__module__.startswith("monitoring")}
    written = {
        ast.unparse(node.args[0])
        for _path, tree in sources("monitoring")
        if any(isinstance(node, ast.ImportFrom) and node.module == "monitoring.signals.bulk" for node in ast.walk(tree))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"insert", "update"}
    }
    assert written, "nobody uses it any more; then it can go"
    assert written & governed == set()


def test_every_foreign_key_of_a_governed_row_protects_what_it_points_at() -> None:
    loose = [
        f"{model._meta.label}.{field.name}"
        for model in _governed()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT
    ]
    assert loose == []


def test_no_governed_row_holds_a_float() -> None:
    assert [
        f"{model._meta.label}.{field.name}"
        for model in _governed()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FloatField | models.JSONField)
    ] == []


def test_modules_stay_small_and_have_telling_names() -> None:
    silent = {"services", "helpers", "utils", "common", "core", "selectors", "managers"}
    sizes = {path: len((ROOT / path).read_text().splitlines()) for path, _tree in sources() if "/migrations/" not in path}
    assert [path for path in sizes if silent & set(Path(path).with_suffix("").parts)] == []
    assert {path: lines for path, lines in sizes.items() if lines > 400} == {}
    assert sorted(sizes.values())[len(sizes) // 2] <= 90
