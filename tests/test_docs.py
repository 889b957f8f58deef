"""What README and docs name exists, and the German catalogue is what its text says. Commands were run by hand; names are held here."""

from __future__ import annotations

import ast
import gettext
import re
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from config.env import ROOT
from config.portal.problems import no_such_endpoint

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
API = re.compile(r"/api/v1/[\w{}<>/.-]*")
PLACEHOLDER = re.compile(r"%\(\w+\)[sdr]|%[sd]")
CATALOGUE = ROOT / "locale/de/LC_MESSAGES/django.po"
# `tests` and `demo` read variables too, but an operator sets those that config/ and the one command read.
READ_IN_PYTHON = re.compile(r"""(?:environ(?:\.get)?[\[(]|flag\(|words\(|secret\()["']([A-Z_]+)["']""")


def name_of(page: Path) -> str:
    """The page as a test is named after it."""
    return str(page.relative_to(ROOT))


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def described() -> list[Path]:
    """Pages that speak of this product as it is; decisions may name what was rejected."""
    return [page for page in PAGES if "decisions" not in page.parts]


# links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_internal_link_resolves(page: Path) -> None:
    targets = [target for target in LINK.findall(text_of(page)) if not target.startswith(("http://", "https://", "mailto:"))]
    missing = [target for target in targets if not (page.parent / target.partition("#")[0]).exists()]
    assert not missing


def test_every_page_can_be_reached_from_the_readme() -> None:
    found: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        for target in LINK.findall(text_of(page)):
            there = (page.parent / target.partition("#")[0]).resolve()
            if there.is_dir():
                waiting += there.glob("*.md")
            elif there.suffix == ".md" and there.exists():
                waiting.append(there)
    assert set(PAGES) - found == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_folder_of_one_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w/])/(?:work|tmp|root|home)/[\w./-]*", text_of(page)) == []


# commands ---------------------------------------------------------------------------------------


def verbs() -> set[str]:
    """The verbs of ./concordat, out of the labels of its case."""
    labels = re.findall(r"^    ([a-z|*]+)\)", (ROOT / "concordat").read_text(), re.MULTILINE)
    return {verb for label in labels for verb in label.split("|")} - {"*"}


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_named_exists(page: Path) -> None:
    text = text_of(page)
    assert set(re.findall(r"\./concordat ([a-z]+)", text)) - verbs() == set()
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) - targets() == set()


def test_every_management_command_named_exists() -> None:
    from django.core.management import get_commands

    known = set(get_commands())
    named = {name for page in PAGES for name in re.findall(r"(?:manage\.py|\./concordat manage) ([a-z]+)", text_of(page))}
    assert named - known == set()


# the API ----------------------------------------------------------------------------------------


def concrete(path: str) -> str:
    """An address as it stands in the text, with something in the place of what varies."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", lambda found: "alertmanager" if "source" in found[0] or "key" in found[0] else str(uuid4()), path)


@pytest.mark.parametrize("page", described(), ids=name_of)
def test_every_address_of_the_api_exists(page: Path) -> None:
    paths = {path.rstrip(".") for path in API.findall(text_of(page))} - {"/api/v1/"}
    for path in paths:
        try:
            found = resolve(concrete(path)).func
        except Resolver404:
            pytest.fail(f"{path} does not exist")
        assert found is not no_such_endpoint, f"{path} does not exist"


# the environment --------------------------------------------------------------------------------


def read_variables() -> set[str]:
    """Variables that config/ reads, and the one that the command itself needs."""
    found = {name for path in (ROOT / "config").rglob("*.py") for name in READ_IN_PYTHON.findall(path.read_text(encoding="utf-8"))}
    return found | ({"MIGRATION_DATABASE_URL"} if "MIGRATION_DATABASE_URL" in (ROOT / "concordat").read_text() else set())


def test_the_table_of_variables_is_complete_and_true() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text_of(ROOT / "docs/operations.md"), re.MULTILINE))
    assert documented == read_variables() - {"DJANGO_SETTINGS_MODULE"}


# the German catalogue ---------------------------------------------------------------------------


def messages() -> dict[str, tuple[str, str, list[str]]]:
    """The catalogue's text: msgid → (msgid, plural, translations); only what is translated."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for block in CATALOGUE.read_text(encoding="utf-8").split("\n\n"):
        parts: dict[str, str] = {}
        field = ""
        for line in block.splitlines():
            keyword = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line)
            if keyword:
                field = keyword[1]
                parts[field] = ast.literal_eval(keyword[2])
            elif line.startswith('"'):
                parts[field] += ast.literal_eval(line)
        said = [text for name, text in sorted(parts.items()) if name.startswith("msgstr")]
        key = parts.get("msgid", "")
        if "msgctxt" in parts:
            key = f"{parts['msgctxt']}\x04{key}"
        if key and all(said):
            found[key] = (parts["msgid"], parts.get("msgid_plural", ""), said)
    return found


def test_the_compiled_catalogue_is_its_text() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for key, (_, plural, said) in messages().items():
        if plural:
            assert [compiled.ngettext(key, plural, number) for number in (1, 2)] == said
        else:
            assert compiled.gettext(key) == said[0]
    keys = {key[0] if isinstance(key, tuple) else key for key in compiled._catalog}  # type: ignore[attr-defined]  # there is no public way
    assert keys - {""} == set(messages())


def test_translations_keep_the_placeholders() -> None:
    for original, plural, said in messages().values():
        assert sorted(PLACEHOLDER.findall(said[-1])) == sorted(PLACEHOLDER.findall(plural or original)), original


def test_what_people_see_most_is_in_german() -> None:
    from django.utils.translation import gettext as translated
    from django.utils.translation import override

    wanted = ("Inbox", "Models", "Changes", "Alerts", "Escalations", "Approve", "Return", "Reject", "Acknowledge", "Sign in", "Overdue")
    with override("de"):
        assert [text for text in wanted if translated(text) == text] == []
    assert "de" in dict(settings.LANGUAGES)


def test_no_translation_takes_the_place_of_a_month_or_a_day() -> None:
    from django.utils import dates

    names = [*dates.WEEKDAYS.values(), *dates.WEEKDAYS_ABBR.values(), *dates.MONTHS.values(), *dates.MONTHS_3.values()]
    assert {str(name) for name in names} & set(messages()) == set()
