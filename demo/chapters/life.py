"""The ordinary life of a model: registered, judged, described, built, agreed to, put to use, watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from demo import acts, files
from demo.chronicle import Story
from demo.data import read
from demo.pace import Pace
from demo.world import World
from governance.changes.models import ChangeRequest
from monitoring.alerts.models import Alert
from stewardship.inventory.models import ModelVersion, RegisteredModel, Stage

WATCHED_EVERY = timedelta(weeks=13)  # the monitoring service sends what it kept of so many weeks at once
EARLY = {"concept": (), "development": (Stage.DEVELOPMENT,), "validation": (Stage.DEVELOPMENT, Stage.VALIDATION)}


@dataclass(frozen=True)
class Line:
    """Who answers for models of a part of the world: first line, second line, and who is called."""

    owner: str
    lead: str
    risk: str
    responder: str


EU = Line("anna", "tomasz", "ruth", "otto")
LINES = {
    "de": EU,
    "fr": EU,
    "eu": EU,
    "uk": Line("oliver", "imogen", "ruth", "imogen"),
    "us": Line("ulysses", "bella", "rosa", "bella"),
    "jp": Line("kenji", "hana", "mei", "hana"),
    "sg": Line("kenji", "hana", "mei", ""),
}


class Life:
    """One model of the story with what is said about it, and the acts that recur."""

    def __init__(self, world: World, row: dict[str, Any], plan: dict[str, Any]) -> None:
        self.world, self.row, self.plan = world, row, plan
        self.slug: str = row["slug"]
        self.region: str = row["region"]
        self.line = LINES[self.region]
        self.said: dict[str, Any] = read("lives")["families"][row["family"]]
        self.comments: dict[str, list[str]] = read("lives")["comments"]
        self.random = Random(self.slug)
        self.versions: list[ModelVersion] = []
        self.running: ModelVersion | None = None  # in production
        self.watched_until: datetime | None = None
        self.normal: Decimal | None = None  # what the first metric usually is, where that is part of the episode
        self._model: RegisteredModel | None = None

    @property
    def model(self) -> RegisteredModel:
        """The model, once it is registered."""
        assert self._model is not None
        return self._model

    @property
    def metric(self) -> str:
        """What is watched first in production."""
        return "mape" if self.row["purpose_class"] == "forecast" else "brier"

    def quality(self) -> Decimal:
        """A good value of that metric."""
        return Decimal(self.random.randrange(62, 110) if self.metric == "mape" else self.random.randrange(31, 48)) / 1000

    def begin(self) -> Story:
        """Registered, judged and, where it has come so far, described."""
        pace = Pace(self.world, self.plan["registered"], 8 + self.random.randrange(0, 6))
        yield pace.at
        self._model = acts.register(self.world, pace.at, self.line.owner, self.row)
        if self.plan.get("stage") == "concept" and self.plan["registered"] < 14:
            return
        yield pace.later(3, 11)
        by = self.random.choice((self.line.owner, self.line.risk))
        acts.judge_risk(self.world, pace.at, by, self.model, self.said["answers"])
        stages = EARLY.get(self.plan.get("stage", ""), (Stage.DEVELOPMENT,))
        if stages:
            yield pace.later(4, 9)
            acts.move(self.world, pace.at, self.line.owner, self.model, stages[:1], "Work has begun")
            yield pace.later(5, 15)
            self.describe(pace.at, "First model card", whole=self.random.random() > 0.15)
        if stages[1:]:
            yield pace.later(2, 14)
            self.build(pace.at, "0.9.0")
            acts.move(self.world, pace.at, self.line.owner, self.model, stages[1:], "Ready for independent validation")

    def describe(self, at: datetime, reason: str, *, whole: bool = True) -> None:
        """The owner writes the dossier; not `whole`: one section is left for later."""
        edits: dict[str, Any] = {"purpose.use": self.said["use"], "build.data": self.said["data"], "oversight.how": self.said["oversight"]}
        if whole:
            edits |= {"limits.known": self.said["limits"], "limits.people": self.said["people"]}
        acts.write_dossier(self.world, at, self.line.owner, self.model, reason, edits)

    def build(self, at: datetime, label: str, quality: Decimal | None = None, *, failed: tuple[str, ...] = ()) -> ModelVersion:
        """The pipeline registers a version and attaches what it measured."""
        version = acts.build(
            self.world,
            at,
            self.model,
            label=label,
            digest=files.artifact_digest(self.slug, label),
            uri=f"s3://models/{self.slug}/{label}/model.bin",
            code_revision=files.artifact_digest(self.slug, f"code of {label}")[:40],
            committer="sofia" if self.line.owner in ("anna", "oliver") else "c.imada@nordhaven.example",
            reviewer=self.line.lead,
            run=f"train-{self.slug}-{label}",
            datasets=[{"name": "train", "rows": 10_000 + self.random.randrange(90_000)}],
            libraries={"python": "3.11", "scikit-learn": "1.7.2"},
            parent=self.versions[-1] if self.versions else None,
            notes=self.random.choice(self.said["why"]),
        )
        found = files.evidence(self.row["purpose_class"], self.slug, label, quality or self.quality(), failed=failed)
        acts.bring_evidence(self.world, at, version, found)
        self.versions.append(version)
        return version

    def ask(self, at: datetime, version: ModelVersion | None, *, kind: str = "", by: str = "", **fields: Any) -> ChangeRequest:
        """The owner drafts a change with everything an approver must know."""
        said, before = self.said, self.versions[-2] if len(self.versions) > 1 else None
        wanted: dict[str, Any] = {
            "environment": self.world.environments["production"],
            "region": self.world.regions[self.region],
            "rationale": version.notes if version else self.random.choice(said["why"]),
            "observed_shifts": said["shift"],
            "policy_considerations": "Dossier, evidence and monitoring are as the release policy asks.",
            "ethical_considerations": said["people"],
            "tradeoffs": [{"gain": "Fits the rows of this year", "loss": "Comparisons with last year need care"}],
            "testing_protocol": [{"what": f"{self.metric} on confirmed outcomes", "until": "weekly"}],
            "rollout_plan": "A tenth of the traffic for two days, then all of it.",
            "release_notes": f"{self.model.name} {version.label}: {version.notes}" if version else "",
            "watch_days": 14,
            "rollback": {
                "trigger": f"{self.metric} outside its bound in two weeks running",
                "steps": f"Put {before.label} back with its own permit." if before else "Take it out of the path; people decide alone.",
                "target_version": before,
            },
        }
        return acts.ask(
            self.world,
            at,
            by or self.line.owner,
            self.model,
            kind=kind or ("retraining" if before else "deployment"),
            version=version,
            **wanted | fields,
        )

    def comment(self, kind: str) -> str:
        """What an approver of this line writes."""
        return self.random.choice(self.comments[kind])

    def agree(self, pace: Pace, change: ChangeRequest) -> Story:
        """Submitted, then agreed to by everybody who is asked, each in their time."""
        yield pace.later(1, 9)
        acts.put_forward(self.world, pace.at, self.line.owner, change)
        yield from self.decide(pace, change)

    def decide(self, pace: Pace, change: ChangeRequest) -> Story:
        """The decisions alone."""
        yield pace.later(1, 12 + self.random.randrange(3))
        acts.answer(self.world, pace.at, self.line.lead, change, comment=self.comment("technical"))
        yield pace.later(2, 9 + self.random.randrange(3))
        acts.answer(self.world, pace.at, "victor", change, comment=self.comment("validator"))
        if change.status == "submitted":
            yield pace.later(0, 14)
            acts.answer(self.world, pace.at, self.line.risk, change, comment=self.comment("risk"))

    def release(self, days: int, label: str, quality: Decimal | None = None) -> Story:
        """One release from the build to production."""
        pace = Pace(self.world, days, 7)
        yield pace.at
        version = self.build(pace.at, label, quality)
        yield pace.later(1, 13)
        self.describe(pace.at, f"Model card of {label}")
        if self.model.stage == Stage.DEVELOPMENT:
            acts.move(self.world, pace.at, self.line.owner, self.model, [Stage.VALIDATION], f"{label} goes to the second line")
        change = self.ask(pace.at, version)
        yield from self.agree(pace, change)
        yield pace.later(1, 8)
        self.deploy(pace.at, version)

    def deploy(self, at: datetime, version: ModelVersion) -> None:
        """The pipeline puts it into production; from then on it is watched."""
        acts.deploy(self.world, at, version, self.region)
        self.running = version
        if self.watched_until is None:
            self.watched_until = at

    def live(self, until: float = 2) -> Story:
        """All its releases, with what monitoring says between them up to so many days ago."""
        for order, days in enumerate(self.plan["releases"]):
            if self.versions:
                yield from self.watch(days)
            yield from self.release(days, f"1.{order}.0")
        yield from self.watch(until)

    def watch(self, days: float) -> Story:
        """Weekly windows up to so many days ago, sent by and by."""
        assert self.watched_until is not None
        end = self.world.ago(days, 5)
        while self.watched_until + timedelta(weeks=1) <= end:
            until = min(self.watched_until + WATCHED_EVERY, end)
            facts: list[dict[str, Any]] = []
            while self.watched_until + timedelta(weeks=1) <= until:
                start, self.watched_until = self.watched_until, self.watched_until + timedelta(weeks=1)
                facts += self.week(start, self.watched_until)
            yield self.watched_until + timedelta(hours=1)
            acts.report(self.world, self.watched_until + timedelta(hours=1), facts)

    def measure(self, at: datetime, *, value: Decimal | None = None, drift: Decimal | None = None) -> Alert | None:
        """One more week is reported at this time, with these values instead of the usual ones; gives the alert that is open then."""
        assert self.watched_until is not None
        start, self.watched_until = self.watched_until, min(self.watched_until + timedelta(weeks=1), at)
        acts.report(self.world, at, self.week(start, self.watched_until, value=value, drift=drift))
        alert: Alert | None = Alert.objects.unresolved().filter(model=self.model).order_by("-opened_at", "-id").first()
        return alert

    def week(self, start: datetime, end: datetime, *, value: Decimal | None = None, drift: Decimal | None = None) -> list[dict[str, Any]]:
        """What was measured in one week: quality, and how far the most important feature has moved."""
        assert self.running is not None
        usual = (self.normal or self.quality()) + Decimal(self.random.randrange(0, 12)) / 1000
        n, moved = self.random.randrange(180, 2400), Decimal(self.random.randrange(10, 60)) / 1000
        place = (self.slug, self.running.label, self.region)
        return [
            acts.window(*place, self.metric, usual if value is None else value, n, start, end),
            acts.window(*place, "drift.wasserstein", moved if drift is None else drift, n, start, end, subject=self.feature),
        ]

    @property
    def feature(self) -> str:
        """The feature that is watched for drift."""
        return {"fraud": "amount", "retail-credit": "income", "customer-service": "length of message"}.get(self.row["family"], "volume")


def ordinary(life: Life) -> Story:
    """A life in which nothing special happens."""
    yield from life.begin()
    if life.plan.get("releases"):
        yield from life.live()
