"""Bad input: each gets a clear refusal that names the field and the remedy, never a 5xx, and nothing is half written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest
from governance.policies.draft import next_version
from governance.policies.models import Policy
from monitoring.signals.models import Metric, Source
from stewardship.dossiers.models import Template
from stewardship.dossiers.revise import revise
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.sequence import settle
from stewardship.people.models import User, system_user
from tests.cast import PASSWORD, Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence
from tests.monitoring.conftest import body as batch
from tests.monitoring.conftest import window
from tests.permission_check import undone
from tests.permission_people import saved
from tests.permission_world import SECTIONS

WITHOUT_WINDOW = {"id": "1", "model": "tumour-risk", "metric": "drift", "value": 1}
HUGE = b"x" * (5 * 1024 * 1024 + 1)
# Written about the request itself, not about what it asked for.
ABOUT_THE_REQUEST = {
    "portal.IdempotentReply",
    "sessions.Session",
    "stewardship.Attempts",  # how often somebody proved who they are
    "stewardship.SigningToken",  # the proof, which is used up by being refused
    "stewardship.AccessTokenUse",
    "axes.AccessLog",
    "governance.LastLook",  # what a person has read so far
}


def counts() -> dict[str, int]:
    """How many rows every table has."""
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.managed and model._meta.label not in ABOUT_THE_REQUEST
    }


@dataclass
class Scene:
    """What the cases talk about, and who talks."""

    cast: Cast
    model: RegisteredModel
    version: ModelVersion
    draft: ChangeRequest
    review: ChangeRequest
    program: Client
    owner: Client
    approver: Client
    compliance: Client
    before: dict[str, int] = field(default_factory=dict)


def signed_in(user: User, **options: Any) -> Client:
    client = Client(raise_request_exception=False, **options)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def scene(cast: Cast, model: RegisteredModel, pipeline: User, pipeline_token: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    version = make_version(model)
    with_evidence(version)
    saved(Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="distance"))
    saved(Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=pipeline))
    policy(cast)
    route(cast)
    with acting(system_user(), "The scene"):
        template = Template(slug="card", name="Card", region=cast.regions["global"], sections=SECTIONS)
        template.save()
    template.publish(actor=system_user())
    revise(model, actor=cast.users["alice"], reason="Begun", edits={"use.text": "With care"})
    review = full_draft(cast, model, version)
    submit(review, actor=cast.users["alice"])
    decides(fresh(review), cast.users["bob"])
    made = Scene(
        cast,
        model,
        version,
        full_draft(cast, model, version),
        fresh(review),
        Client(raise_request_exception=False, headers={"Authorization": f"Bearer {pipeline_token}"}),
        *(signed_in(cast.users[name]) for name in ("alice", "bob", "dana")),
    )
    settle()
    # Each request is undone, which a signer must not be told of.
    monkeypatch.setattr("stewardship.journal.middleware._sequence", lambda: None)
    return made


Send = Callable[[Scene], Any]


def program(url: str, data: Any = b"", content_type: str = "application/json") -> Send:
    """A program's request; a document is written as JSON, bytes go as they are."""
    return lambda scene: scene.program.post(url, data if isinstance(data, bytes) else json.dumps(data), content_type=content_type)


def _version(**fields: Any) -> dict[str, Any]:
    return {"model": "tumour-risk", "label": "2.0.0", "digest": "ab" * 32} | fields


def _question(**fields: Any) -> dict[str, Any]:
    return {"model": "tumour-risk", "version": "1.0.0", "environment": "production", "region": "de"} | fields


def upload(**fields: Any) -> Send:
    """Evidence for the version."""

    def send(scene: Scene) -> Any:
        file = SimpleUploadedFile("metrics.json", b'{"metrics": {}}')
        return scene.program.post("/api/v1/evidence/", {"version": str(scene.version.pk), "kind": "metrics", "file": file} | fields)

    return send


def asked(url: str) -> Send:
    """A program that reads."""
    return lambda scene: scene.program.get(url)


def _cursor(position: str) -> str:
    return base64.b64encode(f"p={position}".encode()).decode()


def _after(*values: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*values, "1b671a64-40d5-491e-99b0-da01ff1f3341"]).encode()).decode().rstrip("=")


# At either end of the calendar: read without complaint, and then not to be had in another zone.
NO_MOMENTS = ("9999-12-31T23:59:59.9-12:00", "0001-01-01T00:00:00+12:00")

V, D, S, G, C = (f"/api/v1/{name}/" for name in ("versions", "deployments", "signals", "gate", "changes"))

# what · how it is sent · status · field that the answer names
PROGRAMS: tuple[tuple[str, Send, int, str], ...] = (
    ("no JSON", program(V, b"{"), 400, ""),
    ("no JSON to the gate", program(G, b"{"), 400, ""),
    ("no JSON as signals", program(S, b"{"), 400, "body"),
    ("not even text", program(V, b"\xff\xfe"), 400, ""),
    ("nested too deeply", program(V, b"[" * 100_000), 400, ""),
    ("a list for an object", program(V, []), 400, ""),
    ("another media type", program(V, b"label=1", "text/plain"), 415, ""),
    ("a huge body", program(V, HUGE), 413, ""),
    ("a huge batch", program(S, HUGE), 413, ""),
    ("a huge question", program(G, HUGE), 413, ""),
    ("an unknown field", program(V, _version(colour="blue")), 400, "colour"),
    ("an unknown field for the gate", program(G, _question(colour="blue")), 400, "colour"),
    ("an unknown field in a signal", program(S, batch(window(0, 0.1, colour="blue"))), 400, "signals[0].colour"),
    ("a number for a text", program(V, _version(label=["2.0.0"])), 400, "label"),
    ("a number for the gate's text", program(G, _question(region=3)), 400, "region"),
    ("a zero byte", program(G, _question(region="d\0e")), 400, "region"),
    ("a text for a number", program(S, batch(window(0, "high"))), 400, "signals[0].value"),
    ("something missing", program(V, {"model": "tumour-risk"}), 400, "label"),
    ("no digest at all", program(V, _version(digest="sha256:12")), 400, "digest"),
    ("a version twice", program(V, _version(label="1.0.0")), 409, "label"),
    ("an unknown model", program(V, _version(model="nobody")), 400, "model"),
    ("an unknown region to the gate", program(G, _question(region="atlantis")), 400, "region"),
    ("an unknown region to deploy to", program(D, _question(region="atlantis")), 400, "region"),
    ("an unknown environment", program(G, _question(environment="moon")), 400, "environment"),
    ("both label and digest", program(G, _question(digest="ab" * 32)), 400, "version"),
    ("a digest that does not fit the file", upload(digest="ab" * 32), 400, "digest"),
    ("no file", upload(file=""), 400, "file"),
    ("a signal in the future", program(S, batch(window(0, 0.1, end="2999-01-01T00:00:00Z"))), 400, "signals[0].end"),
    ("a signal without a window", program(S, {"signals": [WITHOUT_WINDOW]}), 400, "signals[0]"),
    ("a signal whose window ends before it starts", program(S, batch(window(0, 0.1, end="2026-10-01T00:00:00Z"))), 400, "signals[0]"),
    ("an unknown source", program(S, {"source": "nobody", "signals": []}), 400, "source"),
    ("a change of no kind", program(C, {"kind": "party", "model": "tumour-risk"}), 400, "kind"),
    ("half of a character", program(V, _version(datasets=["\ud800"])), 400, "datasets"),
    ("half of a character as a name", program(V, _version(libraries={"\ud800": "1"})), 400, "libraries"),
    ("a number of a thousand digits", program(V, _version(datasets=[10**1000])), 400, "datasets"),
    ("a document nested too deeply", program(V, b'{"model": "tumour-risk", "label": "2", "digest": "' + b"ab" * 32 + b'", "datasets": ['
     + b"[" * 200 + b"]" * 200 + b"]}"), 400, "datasets"),
    *((f"the cursor {text!r}", asked(f"/api/v1/models/?cursor={_cursor(text)}"), 400, "cursor") for text in ("abc", "%00", *NO_MOMENTS)),
    ("an Idempotency-Key for two bodies", lambda scene: _twice(scene), 422, "Idempotency-Key"),
)  # fmt: skip


def _twice(scene: Scene) -> Any:
    for label in ("", " "):
        reply = scene.program.post(V, json.dumps(_version(label=label)), content_type="application/json", headers={"Idempotency-Key": "k"})
    return reply


def test_programs_are_told_the_field_and_the_remedy(scene: Scene) -> None:
    wrong = [f"{what}: {problem}" for what, send, status, field in PROGRAMS for problem in _judged(scene, send, status, field)]
    assert wrong == [], "\n".join(["", *wrong])


def _judged(scene: Scene, send: Send, status: int, field: str) -> Iterator[str]:
    with undone():
        before = counts()
        reply = send(scene)
        if reply.status_code != status:
            yield f"{reply.status_code} instead of {status}: {reply.content[:300]!r}"
        elif not reply.headers["Content-Type"].startswith("application/problem+json"):
            yield f"no problem document but {reply.headers['Content-Type']}"
        else:
            yield from _said(reply.json(), status, field)
        if written := changed(before):
            yield f"half written: {written}"


def _said(said: dict[str, Any], status: int, field: str) -> Iterator[str]:
    named = [said.get("field", ""), *(error["field"] for error in said.get("errors", []))]
    if field and not any(name.startswith(field) for name in named):
        yield f"names {named} and not {field}"
    # Either a remedy of its own, or, for each field, what it takes.
    helped = said.get("remedy") or all(error["detail"] for error in said.get("errors", [{"detail": ""}]))
    if not said.get("detail") or (field and not helped):
        yield f"says too little: {said}"


def changed(before: dict[str, int]) -> dict[str, int]:
    """Tables with another number of rows than before."""
    return {table: number - before[table] for table, number in counts().items() if number != before[table]}


# --- pages -------------------------------------------------------------------------------------


def _decision(scene: Scene, who: Client, **fields: Any) -> Any:
    url = scene.review.get_absolute_url()
    given = {"outcome": "approve", "digest": scene.review.content_digest, "method": "password", "credential": PASSWORD, "comment": "Yes"}
    return who.post(url, given | fields)


def _dossier(scene: Scene) -> Any:
    return scene.owner.post(
        f"/models/{scene.model.pk}/dossier/", {"based_on": "0", "reason": "Late", "use.text": "Otherwise"}
    )  # revision 1 has been written since


def _withdraw(scene: Scene) -> Any:
    scene.owner.post(f"/changes/{scene.draft.pk}/withdraw/", {"reason": "Not needed"})
    scene.before = counts()  # the first was right
    return scene.owner.post(f"/changes/{scene.draft.pk}/withdraw/", {"reason": "Again"})


def _register(scene: Scene, **fields: Any) -> Any:
    given = {
        "name": "X",
        "slug": "x",
        "family": str(scene.model.family_id),
        "region": str(scene.model.region_id),
        "purpose": "Y",
        "ruling": "model",
    }
    return scene.owner.post("/models/new/", given | fields)


def _rule(scene: Scene, expression: str) -> Any:
    edition = next_version(Policy.objects.get(), actor=scene.cast.users["dana"])
    scene.before = counts()  # drafting a version was right
    rule = edition.rules.get()
    given = {"key": rule.key, "title": rule.title, "severity": "block", "order": "1", "reason": "Try", "expression": expression}
    return scene.compliance.post(f"/governance/rule/{rule.pk}/change/", given)


def _foreign_form(scene: Scene) -> Any:
    client = signed_in(scene.cast.users["alice"], enforce_csrf_checks=True)
    return client.post(f"/changes/{scene.draft.pk}/withdraw/", {"reason": "From another site"})


def listed(url: str, *place: str) -> Send:
    """A list from a place in it, which the page's own links would name."""
    return lambda scene: scene.owner.get(f"{url}?after={_after(*place)}")


# what · how it is sent · status · words of the answer
PEOPLE: tuple[tuple[str, Send, int, tuple[str, ...]], ...] = (
    ("an unknown region", lambda scene: _register(scene, region="1b671a64-40d5-491e-99b0-da01ff1f3341"), 422, ("Region", "valid choice")),
    ("a name that is taken", lambda scene: _register(scene, slug="tumour-risk"), 422, ("already",)),
    ("an empty form", lambda scene: scene.owner.post("/models/new/", {}), 422, ("required",)),
    ("no id at all", lambda scene: scene.owner.get("/models/not-an-id/"), 404, ("Nothing here",)),
    ("an illegal transition", _withdraw, 422, ("withdrawn",)),
    ("a stale dossier", _dossier, 422, ("meanwhile", "save again")),
    ("a stale decision", lambda scene: _decision(scene, signed_in(scene.cast.users["kate"]), digest="ab" * 32), 422, ("changed",)),
    ("a second decision", lambda scene: _decision(scene, scene.approver), 422, ("decide",)),
    ("a wrong password", lambda scene: _decision(scene, signed_in(scene.cast.users["kate"]), credential="wrong"), 422, ("password",)),
    ("an outcome that is none", lambda scene: _decision(scene, signed_in(scene.cast.users["kate"]), outcome="maybe"), 422, ("Choose",)),
    ("an expression with an error", lambda scene: _rule(scene, "evidence.metrics. >= 1"), 200, ("column",)),
    ("an expression about nothing known", lambda scene: _rule(scene, "weather.sunny"), 200, ("weather",)),
    ("a form of another site", _foreign_form, 403, ("out of date", "load the page again")),
    ("a filter that is no choice", lambda scene: scene.owner.get("/models/?stage=party"), 200, ("is no choice",)),
    ("half of a character as a place", listed("/models/", "\ud800"), 200, ("cannot be read",)),
    *(
        (f"the place {moment} of {url}", listed(url, moment), 200, ("cannot be read",))
        for url in ("/escalations/", "/notices/")
        for moment in NO_MOMENTS
    ),
    ("a page of no list", lambda scene: scene.owner.get("/models/?after=%00"), 200, ("cannot be read", "starts again from the top")),
)


def test_people_are_told_on_the_page(scene: Scene) -> None:
    wrong = [f"{what}: {problem}" for what, send, status, words in PEOPLE for problem in _shown(scene, send, status, words)]
    assert wrong == [], "\n".join(["", *wrong])


def _shown(scene: Scene, send: Send, status: int, words: tuple[str, ...]) -> Iterator[str]:
    with undone():
        scene.before = counts()
        reply = send(scene)
        html = unescape(re.sub(r"<[^>]+>", " ", reply.content.decode())).lower()
        if reply.status_code != status:
            yield f"{reply.status_code} instead of {status}"
        if missing := [word for word in words if word.lower() not in html]:
            yield f"does not say {missing}: {' '.join(html.split())[-700:]}"
        if written := changed(scene.before):
            yield f"half written: {written}"
