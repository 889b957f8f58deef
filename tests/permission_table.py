"""Who gets what at which address. A new route fails `test_permissions` until it has its row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.files.base import ContentFile

from tests.permission_check import PEOPLE, Row
from tests.permission_stock import MARKS, OF_RIGHT, World

READERS = ("viewer", "owner", "technical lead", "approver", "compliance", "executive", "regional admin", "global admin")
WORKERS = ("owner", "approver", "compliance", "executive", "regional admin", "global admin")
BUILDERS = ("owner", "technical lead")
ADMINS = ("regional admin", "global admin")
AT_ROOT = ("compliance", "executive", "global admin")

PROGRAMS = (*READERS, "read token")  # what is read over the API, besides what a pipeline needs
PIPELINES = (*PROGRAMS, "pipeline token")

MODEL, FAMILY, VERSION, DEPLOYMENT = (
    f"stewardship.{name}" for name in ("RegisteredModel", "ModelFamily", "ModelVersion", "Deployment")
)  # fmt: skip
RUN, ACTION, GAP = (f"stewardship.{name}" for name in ("Run", "Action", "Gap"))
SERIES, ALERT, QUARANTINED = (f"monitoring.{name}" for name in ("Series", "Alert", "Quarantined"))
CHANGE, REPORT, VERDICT, ARTIFACT = (f"governance.{name}" for name in ("ChangeRequest", "Report", "Verdict", "Artifact"))

REASON = {"reason": "Because the table says so"}


def page(route: str, of: str = "", may: tuple[str, ...] = READERS, **more: Any) -> Row:
    """A page that is looked at."""
    return Row("GET", route, of, may, **more)


def form(route: str, of: str = "", may: tuple[str, ...] = READERS, *, ok: int = 302, **more: Any) -> tuple[Row, Row]:
    """A page with a form: asked for and sent. 422 is a form that was let in and found incomplete."""
    asked = {key: value for key, value in more.items() if key != "body"}
    return Row("GET", route, of, may, **asked), Row("POST", route, of, may, ok=ok, **more)


def read(route: str, of: str = "", may: tuple[str, ...] = PROGRAMS, **more: Any) -> Row:
    """An endpoint that is read."""
    return Row("GET", route, of, may, api=True, **more)


def send(route: str, of: str = "", may: tuple[str, ...] = (), **more: Any) -> Row:
    """An endpoint that is written to."""
    return Row("POST", route, of, may, api=True, **more)


def _version(world: World, place: str) -> Mapping[str, Any]:
    return {"model": f"{MARKS[place]}-model", "label": "2.0.0", "digest": "ab" * 32}


def _deployment(world: World, place: str) -> Mapping[str, Any]:
    return {"model": f"{MARKS[place]}-model", "version": f"{MARKS[place]}-1", "environment": "staging", "region": place}


def _artifact(world: World, place: str) -> Mapping[str, Any]:
    return {"version": str(world.one(VERSION, place).pk), "kind": "card", "file": ContentFile(b"# Card", name="card.md")}


def _draft(world: World, place: str) -> Mapping[str, Any]:
    fields = {"kind": "deployment", "model": f"{MARKS[place]}-model", "version": f"{MARKS[place]}-1", "rationale": "Better"}
    return {**fields, "environment": "production", "region": place}


def _draft_at_home(world: World, place: str) -> Mapping[str, Any]:
    return {key: value for key, value in _draft(world, place).items() if key != "region"}


def _question(world: World, place: str) -> Mapping[str, Any]:
    return {"model": f"{MARKS[place]}-model", "version": f"{MARKS[place]}-1", "environment": "production", "region": place}


def _report(world: World, place: str) -> Mapping[str, Any]:
    return {"model": f"{MARKS[place]}-model"}


OPEN: tuple[Row, ...] = (
    Row("GET", "healthz", to_all=True),
    Row("GET", "metrics", to_all=True),
    Row("GET", "schema", to_all=True),
    Row("GET", "gate_key", to_all=True),
    Row("POST", "theme", to_all=True, ok=302),
)

PAGES: tuple[Row, ...] = (
    # one's own
    page("palette", may=PEOPLE, query="?q=zz"),
    page("inbox", may=PEOPLE),
    *form("profile", may=PEOPLE, body={"full_name": "X", "time_zone": "UTC", "language": "en", "theme": "auto"}),
    *form("token_new", may=PEOPLE, ok=200, body={"name": "ci", "scopes": "read", "days": "10"}),
    Row("POST", "token_revoke", "stewardship.AccessToken", hidden=404),
    *form("absence_new", may=PEOPLE, ok=422),
    *form("delegation_new", may=PEOPLE, ok=422),
    Row("POST", "absence_end", "stewardship.Absence", hidden=404),
    Row("POST", "delegation_end", "stewardship.Delegation", hidden=404),
    page("notice_list", may=PEOPLE),
    Row("POST", "notice_list", may=PEOPLE, ok=302),
    page("notice_open", "stewardship.Notice", may=()),
    page("totp_picture", may=PEOPLE, ok=404),  # nothing is being set up
    # models
    page("model_list", lists=MODEL),
    page("my_models"),
    page("portfolio"),
    page("deployment_list", lists=DEPLOYMENT),
    page("verdict_list", lists=VERDICT),
    page("version_detail", VERSION),
    *form("version_new", MODEL, BUILDERS, ok=422),
    *form("evidence_new", VERSION, BUILDERS, ok=422),
    *form("register_model", may=("owner", *ADMINS), ok=422),
    page("model_detail", MODEL),
    page("model_detail", MODEL, query="?tab=people"),
    page("family_detail", FAMILY),
    page("dossier_edit", MODEL),
    Row("POST", "dossier_edit", MODEL, ("owner",), READERS, ok=422),
    page("dossier_diff", MODEL),
    page("dossier_markdown", MODEL),
    page("dossier_json", MODEL),
    *form("risk_assess", MODEL, ("owner", "approver"), body={"usage": "low"}),
    # changes
    page("change_list", lists=CHANGE, query="?tab=all"),
    page("change_detail", CHANGE),
    Row("POST", "change_detail", CHANGE, READERS, ok=422),  # every decision needs a credential, whoever sends it
    *form("change_new", MODEL, BUILDERS, ok=422, nowhere=403),
    *form("change_edit", CHANGE, BUILDERS, ok=422),
    Row("POST", "change_submit", CHANGE, BUILDERS, ok=302),
    Row("POST", "change_gate", CHANGE, READERS, ok=302),
    *form("change_withdraw", CHANGE, ("owner",), body=REASON),
    # reports, files
    page("report_list", lists=REPORT),
    page("report_detail", REPORT),
    page("report_file", REPORT, ok=409),  # it is not made yet
    page("report_bundle", REPORT, ok=409),
    page("report_detail", "a ready report"),
    page("report_file", "a ready report"),
    *form("report_cancel", REPORT, WORKERS),
    *form("report_new", MODEL, WORKERS),
    page("file_download", "a file of a person", AT_ROOT),  # others their own only
    page("file_download", "a file of evidence"),
    page("file_download", "a file of a report"),
    # work
    page("action_list", may=PEOPLE, lists=ACTION),  # those without a role their own
    *form("action_new", may=WORKERS, ok=422),
    page("action_detail", ACTION),
    Row("GET", "action_complete", ACTION, READERS),
    Row("POST", "action_complete", ACTION, WORKERS, READERS, ok=302, body={"evidence": "Seen"}),
    Row("GET", "action_cancel", ACTION, READERS),
    Row("POST", "action_cancel", ACTION, WORKERS, READERS, ok=302, body=REASON),
    Row("GET", "action_verify", ACTION, READERS),
    Row("POST", "action_verify", ACTION, ("approver", "compliance"), READERS, ok=422),  # it is not done yet
    Row("GET", "action_reopen", ACTION, READERS),
    Row("POST", "action_reopen", ACTION, ("approver", "compliance"), READERS, ok=422, body=REASON),
    Row("POST", "comment_add", may=(*WORKERS, "technical lead"), ok=422),  # without the seal of the page it stands on
    Row("POST", "thread_settle", may=(*WORKERS, "technical lead"), ok=422),
    page("gap_list", lists=GAP),
    page("gap_detail", GAP),
    *form("gap_close", GAP, ("owner", *ADMINS), sees=READERS, body=REASON),
    page("run_list", lists=RUN),
    page("run_detail", RUN),
    *form("run_acknowledge", RUN, (*WORKERS, "technical lead"), sees=READERS),
    *form("run_escalate", RUN, WORKERS, sees=READERS, body=REASON),
    *form("run_stop", RUN, WORKERS, sees=READERS, body=REASON),
    # monitoring
    page("alert_list", lists=ALERT),
    page("alert_detail", ALERT),
    page("alert_detail", "a breach"),
    *form("alert_acknowledge", ALERT, BUILDERS, sees=READERS),
    *form("alert_investigate", ALERT, BUILDERS, sees=READERS, body=REASON),
    *form("alert_resolve", ALERT, ("owner",), sees=READERS, body={**REASON, "outcome": "fixed"}),
    page("quarantine_list", lists=QUARANTINED),
    *form("quarantine_place", QUARANTINED, ADMINS, sees=READERS, ok=422),
    *form("quarantine_dismiss", QUARANTINED, ADMINS, sees=READERS, body=REASON),
    # proof
    page("journal_list"),
    page("history", MODEL, args={"label": "stewardship.registeredmodel"}),
    page("history_proof", MODEL, ("compliance",), args={"label": "stewardship.registeredmodel", "record": "none"}, ok=404, nowhere=403),
)

API: tuple[Row, ...] = (
    read("model-list", may=PIPELINES, lists=MODEL),
    read("model-detail", MODEL, PIPELINES),
    send("model-list", may=("owner", *ADMINS), ok=400),
    read("version-list", may=PIPELINES, lists=VERSION),
    read("version-detail", VERSION, PIPELINES),
    send("version-list", MODEL, ("owner", "technical lead", "pipeline token"), key="", ok=201, hidden=400, body=_version),
    read("deployment-list", may=PIPELINES, lists=DEPLOYMENT),
    read("deployment-detail", DEPLOYMENT, PIPELINES),
    send("deployment-list", MODEL, (*BUILDERS, "pipeline token"), key="", ok=201, hidden=400, body=_question),
    send("deployment-end", DEPLOYMENT, ("owner", "technical lead", "pipeline token")),
    read("alert-list", may=PIPELINES, lists=ALERT),
    read("alert-detail", ALERT, PIPELINES),
    send("alert-acknowledge", ALERT, BUILDERS, body=REASON),
    send("alert-investigate", ALERT, BUILDERS, body=REASON),
    send("alert-resolve", ALERT, ("owner",), body={**REASON, "outcome": "fixed"}),
    read("series-list", may=PIPELINES, lists=SERIES),
    read("series-detail", SERIES, PIPELINES),
    read("series-windows", SERIES, PIPELINES),
    read("report-list", lists=REPORT),
    read("report-detail", REPORT),
    read("report-file", REPORT, ok=409),
    send("report-list", MODEL, WORKERS, key="", ok=202, hidden=400, body=_report),
    read("change-list", may=PIPELINES, lists=CHANGE),
    read("change-detail", CHANGE, PIPELINES),
    send(
        "change-list", MODEL, BUILDERS, key="", ok=201, hidden=400, also={"pipeline token": 400}, body=_draft
    ),  # it sees no region by name
    send("change-list", MODEL, (*BUILDERS, "pipeline token"), key="", ok=201, hidden=400, body=_draft_at_home),
    send("change-submit", CHANGE, BUILDERS),
    send("change-withdraw", CHANGE, ("owner",), body=REASON),
    send("change-decide", CHANGE, sees=READERS),  # never over the API
    read("evidence-list", may=PIPELINES, lists=ARTIFACT),
    read("evidence-detail", ARTIFACT, PIPELINES),
    send("evidence-list", VERSION, (*BUILDERS, "pipeline token"), key="", ok=201, body=_artifact),
    read("verdict-list", may=PIPELINES, lists=VERDICT),
    read("verdict-detail", VERDICT, PIPELINES),
    send("gate", MODEL, (*BUILDERS, "pipeline token"), key="", nowhere=404, body=_question),
    read("api_journal_entries"),
    read("api_journal_proof", may=("compliance",), ok=404, query="?table=none&record=none"),
)

# Addresses with no row of their own, and why. A name that ends in "_" stands for all that begin with it.
EXEMPT: Mapping[str, str] = {
    "account_": "allauth's: one's own session and password; shows nothing of the register",
    "mfa_": "allauth's: one's own second factor",
    "readyz": "open; whether it says 200 or 503 depends on the processes around it (test_portal_health)",
    "journal_checkpoint": "open: hashes only (test_journal_pages)",
    "journal_tile": "open: hashes only (test_journal_pages)",
    "journal_bundle": "entries in bundles, from the root only (test_journal_pages)",
    "signals": "judged by the account of the source, not by a role (test_signals_api)",
    "inbound": "judged by the account of the source, not by a role (test_signals_api)",
    "None": "the end of /api/ and /journal/: 404 for everybody",
}


@dataclass(frozen=True)
class Screen:
    """A configuration screen: who sees its rows, who may change them where they see them, who may add."""

    sees: tuple[str, ...] = READERS
    changes: tuple[str, ...] = ()
    adds: tuple[str, ...] | None = None
    fixed: bool = False  # in force, so that even who may change such rows may not change these
    query: str = ""  # narrows a list that would not fit one page to what the world has in stock

    @property
    def adders(self) -> tuple[str, ...]:
        return self.changes if self.adds is None else self.adds


CONFIGURERS = ADMINS
POLICY_MAKERS = ("compliance", *ADMINS)
EDITORS, REGISTRARS = ("owner", *ADMINS), ("owner", *ADMINS)
READ_ONLY = Screen()

SCREENS: Mapping[str, Screen] = {
    "stewardship.Region": Screen(changes=CONFIGURERS),
    "stewardship.LegalEntity": Screen(changes=CONFIGURERS),
    "stewardship.WorkingCalendar": Screen(changes=CONFIGURERS),
    "stewardship.Bound": Screen(changes=("global admin",), adds=CONFIGURERS),
    "stewardship.Setting": Screen(adds=CONFIGURERS),
    "stewardship.User": Screen(changes=CONFIGURERS),
    "stewardship.Team": Screen(changes=CONFIGURERS),
    "stewardship.Membership": Screen(changes=CONFIGURERS),
    "stewardship.Absence": Screen(changes=CONFIGURERS),
    "stewardship.Delegation": Screen(changes=CONFIGURERS),
    "stewardship.AccessToken": READ_ONLY,
    "stewardship.Blob": READ_ONLY,  # of others only at the root
    "stewardship.Job": READ_ONLY,
    "stewardship.Signature": READ_ONLY,
    "stewardship.Delivery": Screen(sees=AT_ROOT),
    "stewardship.Notice": Screen(sees=AT_ROOT),
    "stewardship.JournalEvent": Screen(sees=AT_ROOT),
    "stewardship.Entry": Screen(sees=AT_ROOT),
    "stewardship.Checkpoint": Screen(sees=AT_ROOT),
    "stewardship.Key": Screen(sees=AT_ROOT),
    "stewardship.Project": Screen(changes=EDITORS),
    "stewardship.DataDomain": Screen(changes=("global admin",), adds=REGISTRARS),
    "stewardship.Environment": Screen(changes=("global admin",), adds=REGISTRARS),
    "stewardship.ModelFamily": Screen(changes=EDITORS),
    "stewardship.RegisteredModel": Screen(changes=EDITORS),
    "stewardship.ModelVersion": READ_ONLY,
    "stewardship.Deployment": READ_ONLY,
    "stewardship.Role": READ_ONLY,  # nobody of the cast configures roles
    "stewardship.SeparationRule": READ_ONLY,
    **dict.fromkeys((f"stewardship.{scope}Grant" for scope in ("Region", "Family", "Model")), Screen(query=f"?right={OF_RIGHT}")),
    "stewardship.RoleAssignment": Screen(adds=("owner", "compliance", *ADMINS)),
    "stewardship.Template": Screen(changes=CONFIGURERS),
    "stewardship.Dossier": READ_ONLY,
    "stewardship.Revision": READ_ONLY,
    "stewardship.Path": Screen(changes=CONFIGURERS),
    "stewardship.Run": READ_ONLY,
    "stewardship.Thread": READ_ONLY,
    "stewardship.Action": READ_ONLY,
    "stewardship.Gap": READ_ONLY,
    "stewardship.Framework": Screen(changes=("compliance",)),
    "stewardship.Clause": Screen(changes=("compliance",)),
    "stewardship.Applicability": Screen(changes=("compliance",)),
    "monitoring.Source": Screen(changes=CONFIGURERS),
    "monitoring.Metric": Screen(changes=("global admin",), adds=CONFIGURERS),
    "monitoring.Batch": READ_ONLY,
    "monitoring.Quarantined": READ_ONLY,
    "monitoring.Rule": Screen(changes=CONFIGURERS),
    "monitoring.Override": Screen(adds=CONFIGURERS),
    "monitoring.Series": READ_ONLY,
    "monitoring.Window": READ_ONLY,
    "monitoring.Verdict": READ_ONLY,
    "monitoring.Track": READ_ONLY,
    "monitoring.Alert": READ_ONLY,
    "governance.Evaluation": READ_ONLY,
    "governance.Policy": Screen(changes=POLICY_MAKERS),
    "governance.PolicyVersion": Screen(changes=POLICY_MAKERS, adds=()),  # drafted from their policy
    "governance.Rule": Screen(changes=POLICY_MAKERS, adds=(), fixed=True),
    "governance.Waiver": READ_ONLY,
    "governance.Questionnaire": Screen(changes=("risk officer",)),
    "governance.Assessment": READ_ONLY,
    "governance.Artifact": READ_ONLY,
    "governance.ChangeRequest": READ_ONLY,
    "governance.RollbackPlan": READ_ONLY,
    "governance.ChangeRevision": READ_ONLY,
    "governance.RouteRule": Screen(changes=CONFIGURERS),
    "governance.Route": READ_ONLY,
    "governance.Stage": READ_ONLY,
    "governance.Requirement": READ_ONLY,
    "governance.Decision": READ_ONLY,
    "governance.Standing": READ_ONLY,
    "governance.Verdict": READ_ONLY,
    "governance.Permit": READ_ONLY,
    "governance.Report": READ_ONLY,
}

# Screens of rows that belong to a person or to the whole installation: only whether they open is asked, not which rows they list.
WITHOUT_ROWS = frozenset(
    f"stewardship.{name}" for name in ("Blob", "Job", "Signature", "Delivery", "Notice", "JournalEvent", "Entry", "Checkpoint", "Key")
)


def screen_rows(label: str, screen: Screen) -> list[Row]:
    """The rows of one configuration screen: its list, one row looked at and sent, adding, deleting."""
    name = f"admin:{label.lower().replace('.', '_')}"
    lists = "" if label in WITHOUT_ROWS else label
    rows = [
        Row("GET", f"{name}_changelist", may=screen.sees, sees=(), lists=lists, nowhere=403, query=screen.query),
        Row("GET", f"{name}_add", may=screen.adders, nowhere=403),
    ]
    if lists:
        one: dict[str, Any] = {"of": label, "key": "object_id", "nowhere": 403}
        rows += [
            Row("GET", f"{name}_change", may=screen.sees, **one),
            # Who changes nothing of the kind is refused alike, whether the row exists for them or not.
            Row(
                "POST",
                f"{name}_change",
                may=screen.changes,
                ok=403 if screen.fixed else 200,
                hidden=404,
                also=dict.fromkeys(set(screen.sees) - set(screen.changes), 403),
                **one,
            ),
            Row("POST", f"{name}_delete", may=(), sees=screen.sees, hidden=403, **one),
        ]
    return [replace(row, unentered=302) for row in rows]


FRONT: tuple[Row, ...] = (
    Row("GET", "admin:index", may=READERS, unentered=302),
    Row("GET", "admin:app_list", may=READERS, args={"app_label": "governance"}, unentered=302),
    Row("GET", "admin:jsi18n", may=READERS, unentered=302),
    *(
        Row(
            "GET",
            "admin:autocomplete",
            may=READERS,
            unentered=302,
            lists=noun,
            query=f"?app_label={app}&model_name={model}&field_name={of}",
        )
        for app, model, of, noun in (
            ("stewardship", "modelversion", "model", MODEL),
            ("stewardship", "registeredmodel", "region", "stewardship.Region"),
            ("stewardship", "registeredmodel", "family", FAMILY),
            ("stewardship", "membership", "user", "stewardship.User"),
            ("monitoring", "override", "family", FAMILY),
            ("monitoring", "override", "model", MODEL),
            ("governance", "permit", "change", CHANGE),
        )
    ),
)
