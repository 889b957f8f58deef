"""A portal in which every page has something to show, and what stands at each address of it.

Made in the test's own database from the stories that other tests tell, so that a page cannot be tested while it is empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib import admin
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from config.portal.permission import holds
from governance.approvals.submit import submit
from governance.audits.models import Report
from governance.audits.request import request
from governance.changes.models import ChangeRequest
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.models import Quarantined, Source
from stewardship.actions.models import Action
from stewardship.actions.open import open_action
from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import Gap
from stewardship.dossiers.models import Template
from stewardship.dossiers.revise import revise
from stewardship.escalation.models import Run
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.sequence import settle
from stewardship.notices.models import Notice
from stewardship.people.models import User, system_user
from stewardship.people.tokens import AccessToken
from stewardship.threads.comment import comment
from tests.cast import Cast, make_version
from tests.governance.audit_case import ready, story
from tests.governance.change_case import full_draft, with_evidence
from tests.governance.test_risk_assess import make as make_questionnaire
from tests.stewardship.test_dossiers_pages import SECTIONS

T = TypeVar("T")
LONG = "A name as long as people make them: early detection of malignant masses in screening programmes of the northern regions"


@dataclass(frozen=True)
class World:
    """One of each thing that has a page."""

    cast: Cast
    model: RegisteredModel
    version: ModelVersion
    change: ChangeRequest
    draft: ChangeRequest
    alert: Alert
    run: Run
    report: Report
    making: Report
    action: Action
    gap: Gap
    quarantined: Quarantined
    notice: Notice


def full(cast: Cast) -> World:
    """A model with a whole story, one change that waits for Bob, a draft, an open alert, and everything else once."""
    system, alice = system_user(), cast.users["alice"]
    model = story(cast)
    template = Template(slug="model-card", name="Model card", region=cast.regions["global"], sections=SECTIONS)
    with acting(system, "A template"):
        template.save()
    template.publish(actor=system)
    revise(model, actor=alice, reason="Begun")
    make_questionnaire(system, cast)
    version = make_version(model, "2.0.0")
    with_evidence(version)
    change = full_draft(cast, model, version, title=LONG, rationale=f"{LONG}.\n\nIt misses fewer malignant cases.")
    submit(change, actor=alice)
    comment(actor=cast.users["bob"], subject_kind="change", subject_id=change.pk, model=model, region=model.region, text="Why now, @alice?")
    revise(model, actor=alice, reason="2.0.0 is there", version=version)
    draft = full_draft(cast, model, version, rationale="", environment=cast.environments["staging"])
    _breach(cast, model)
    alert = Alert.objects.unresolved().get()
    action = open_action(
        actor=cast.users["bob"],
        title="Retrain on the new scanner",
        owner=alice,
        due_at=timezone.now() + timedelta(days=3),
        region=cast.regions["de"],
    )
    gap = open_gap(
        kind="drill", subject_kind="drill", subject_id=model.pk, label="Nobody looks after this", region=cast.regions["eu"], actor=system
    )
    AccessToken.issue(user=alice, name="Notebook", scopes=["read"], days=30, actor=alice)
    report = apart(lambda: ready(request(model=model, actor=alice)))
    making = request(model=model, actor=cast.users["dana"])
    settle()
    return World(
        cast=cast,
        model=model,
        version=version,
        change=change,
        draft=draft,
        alert=alert,
        run=Run.objects.filter(subject_id=alert.pk).latest("started_at"),
        report=report,
        making=making,
        action=action,
        gap=gap,
        quarantined=Quarantined.objects.waiting().first() or _nothing(),
        notice=Notice.objects.filter(recipient=cast.users["bob"]).first() or _nothing(),
    )


def apart(work: Callable[[], T]) -> T:
    """Do it in another thread on our connection: sealing runs a loop of its own, and Playwright's runs in this thread."""
    shared = connections["default"]

    def there() -> T:
        connections["default"] = shared
        return work()

    shared.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(there).result()
    finally:
        shared.dec_thread_sharing()


def _nothing() -> Any:
    raise AssertionError("The world lacks something that a page needs.")


def _breach(cast: Cast, model: RegisteredModel) -> None:
    """Twelve hours that end above the bound for acting, and one fact about a model nobody registered."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    windows = [
        {
            "id": f"hour-{hour}", "model": model.slug, "metric": "drift", "method": "wasserstein", "region": "de", "value": value, "n": 60,
            "start": (now - timedelta(hours=13 - hour)).isoformat(), "end": (now - timedelta(hours=12 - hour)).isoformat(),
        }
        for hour, value in enumerate((0.04, 0.05, 0.05, 0.07, 0.06, 0.08, 0.09, 0.14, 0.17, 0.24, 0.28, 0.46))
    ]  # fmt: skip
    windows.append({**windows[0], "id": "lost", "model": "nobody-registered-this"})
    source = Source.objects.get(slug="watch")
    receive(source=source, body=json.dumps({"signals": windows}).encode(), content_type="application/json", actor=cast.users["pipeline"])


# --- addresses ------------------------------------------------------------------------------------

# What an address of this name shows. A page whose name is missing here fails the test.
Row = Callable[[World], Any]
OBJECTS: dict[str, Row] = {
    "model_detail": lambda world: world.model,
    "version_new": lambda world: world.model,
    "version_detail": lambda world: world.version,
    "evidence_new": lambda world: world.version,
    "report_detail": lambda world: world.report,
    "report_cancel": lambda world: world.making,
    "report_new": lambda world: world.model,
    "change_detail": lambda world: world.change,
    "change_edit": lambda world: world.draft,
    "change_withdraw": lambda world: world.draft,
    "change_new": lambda world: world.model,
    "risk_assess": lambda world: world.model,
    "alert_detail": lambda world: world.alert,
    "alert_acknowledge": lambda world: world.alert,
    "alert_investigate": lambda world: world.alert,
    "alert_resolve": lambda world: world.alert,
    "quarantine_place": lambda world: world.quarantined,
    "quarantine_dismiss": lambda world: world.quarantined,
    "family_detail": lambda world: world.model.family,
    "run_detail": lambda world: world.run,
    "run_acknowledge": lambda world: world.run,
    "run_escalate": lambda world: world.run,
    "run_stop": lambda world: world.run,
    "action_detail": lambda world: world.action,
    "action_complete": lambda world: world.action,
    "action_verify": lambda world: world.action,
    "action_reopen": lambda world: world.action,
    "action_cancel": lambda world: world.action,
    "gap_detail": lambda world: world.gap,
    "gap_close": lambda world: world.gap,
    "dossier_edit": lambda world: world.model,
    "dossier_diff": lambda world: world.model,
}

# What is no page, and why; names of the admin are left out below by what they begin with.
NO_PAGE: Mapping[str, str] = {
    **dict.fromkeys(("healthz", "readyz", "metrics"), "for machines"),
    **dict.fromkeys(("journal_checkpoint", "journal_bundle", "journal_tile", "history_proof"), "files of the journal"),
    **dict.fromkeys(("report_file", "report_bundle", "file_download", "dossier_markdown", "dossier_json", "totp_picture"), "files"),
    **dict.fromkeys(("mfa_download_recovery_codes", "journal_key"), "files"),
    **dict.fromkeys(("change_submit", "change_gate", "comment_add", "thread_settle", "theme", "token_revoke"), "answers POST only"),
    **dict.fromkeys(("absence_end", "delegation_end"), "answers POST only"),
    **dict.fromkeys(("notice_open", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate"), "leads elsewhere"),
    "account_reset_password_from_key": "needs a letter",
    **dict.fromkeys(("account_set_password", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"), "no device"),
    **dict.fromkeys(("account_login", "account_signup", "account_inactive"), "not for who is signed in: test_shell.py"),
    **dict.fromkeys(("login", "logout", "jsi18n", "autocomplete", "app_list"), "Django's own, behind our pages"),
}
TABS = {"model_detail": ("overview", "dossier", "changes", "monitoring", "people", "history"), "change_list": ("waiting", "mine", "all")}


def _patterns(node: URLResolver, under: str = "") -> Iterator[tuple[str, str]]:
    for entry in node.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, under + str(entry.pattern))
        elif isinstance(entry, URLPattern) and entry.name:
            yield entry.name, under + str(entry.pattern)


def page_names() -> list[str]:
    """Every named address that is a page of ours, of allauth or of the configuration's index."""
    models = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    names = []
    for name, route in _patterns(get_resolver()):
        theirs = name.rpartition("_")[0] in models
        if not (route.startswith("api/") or theirs or name in NO_PAGE or name in names):
            names.append(name)
    return names


def paths(world: World) -> dict[str, str]:
    """Each page's address by its name, tabs apart."""
    found: dict[str, str] = {}
    for name in page_names():
        if name == "history":
            found[name] = reverse(name, args=["governance.changerequest", world.change.pk])
            continue
        spot = reverse("admin:index") if name == "index" else reverse(name, args=[OBJECTS[name](world).pk] if name in OBJECTS else [])
        for tab in TABS.get(name, ("",)):
            found[f"{name} {tab}".strip()] = f"{spot}?tab={tab}" if tab else spot
    found["report_detail making"] = reverse("report_detail", args=[world.making.pk])
    found["change_detail draft"] = reverse("change_detail", args=[world.draft.pk])
    return found


def configuration(user: User) -> Iterator[str]:
    """The lists, empty forms and first objects of the configuration that this person may open."""
    for model, options in sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label_lower):
        rights = getattr(options, "rights", {})
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if not rights.get("view") or not holds(user, rights["view"]):
            continue
        yield reverse(f"{name}_changelist")
        rows = model._default_manager
        first = (rows.allowed(user, rights["view"]) if hasattr(rows.all(), "allowed") else rows.all()).first()
        if first is not None:
            yield reverse(f"{name}_change", args=[first.pk])
        if rights.get("add") or rights.get("change"):
            yield reverse(f"{name}_add")
