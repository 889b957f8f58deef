"""A model with a whole story, and its sealed report: made once for all tests that take it apart."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from governance.approvals.submit import submit
from governance.audits import build, bundle, trust
from governance.audits.models import Report
from governance.audits.offline import MANIFEST
from governance.audits.request import request
from governance.gate.ask import ask
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.models import Metric, Source
from monitoring.thresholds.models import Rule
from stewardship.documents import jobs, pdf, seal
from stewardship.documents.verify import Trust
from stewardship.escalation.models import Path, Step
from stewardship.inventory.deploy import record
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from tests.cast import Cast, make_cast, make_family, make_model, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence

MADE = datetime(2026, 11, 1, tzinfo=UTC)


def story(cast: Cast) -> RegisteredModel:
    """Registered, changed twice (approved, rejected), deployed, breached, called, answered, resolved."""
    system, alice, bob, kate = system_user(), cast.users["alice"], cast.users["bob"], cast.users["kate"]
    model = make_model(cast, family=make_family(cast))
    model.set_tier(2, actor=cast.users["dana"], reason="Decides about treatment")
    first = make_version(model, "1.0.0")
    with_evidence(first)
    policy(cast)
    route(cast)
    good = full_draft(cast, model, first)
    submit(good, actor=alice)
    decides(fresh(good), bob, comment="The interval is narrow enough.")
    decides(fresh(good), kate)
    ask(model=model.slug, version="1.0.0", environment="production", region="de", actor=alice)
    record(actor=system, version=first, environment=cast.environments["production"], region=cast.regions["de"])
    second = make_version(model, "1.1.0")
    with_evidence(second)
    bad = full_draft(cast, model, second, rationale="Faster. =cmd|' /C calc'!A0 <b>not bold</b>")
    submit(bad, actor=alice)
    decides(fresh(bad), bob, outcome="reject", comment="It forgets the rare cases.")
    _breach(cast, model)
    return model


def _breach(cast: Cast, model: RegisteredModel) -> None:
    with acting(system_user(), "Monitoring begins"):
        metric = Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="distance")
        metric.save()
        source = Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=cast.users["pipeline"])
        source.save()
        Rule(
            slug="drift",
            name="Drift",
            region=cast.regions["global"],
            metric=metric,
            direction="higher_is_worse",
            levels={"observe": Decimal("0.1"), "investigate": Decimal("0.2"), "act": Decimal("0.3")},
            next_actions={"act": "Ask for a rollback."},
            valid_from=MADE - timedelta(days=365),
        ).save()
        path = Path(slug="alerts", name="Alerts", region=cast.regions["global"], subject_kind="alert")
        path.save()
        Step(path=path, order=1, role=cast.roles["responder"], scope="model", after_seconds=0).save()
    window = {"id": "w1", "model": model.slug, "metric": "drift", "method": "psi", "region": "de", "value": 0.25, "n": 60}
    window |= {"start": MADE.isoformat(), "end": (MADE + timedelta(hours=1)).isoformat()}
    body = json.dumps({"signals": [window]}).encode()
    receive(source=source, body=body, content_type="application/json", actor=cast.users["pipeline"])
    alert = Alert.objects.get()
    alert.acknowledge(actor=cast.users["ivan"])
    alert.resolve(actor=cast.users["ivan"], outcome="fixed", reason="The upstream job was repaired.")


@dataclass(frozen=True)
class Sealed:
    """What leaves the house, and what a verifier was told before."""

    pdf: bytes
    plain: bytes
    files: dict[str, bytes]
    bundle: bytes
    trust: Trust
    html: str

    def resealed(self, files: dict[str, bytes], content: bytes = b"") -> bytes:
        """The same pages with other files, sealed by the seal in force."""
        attached = [pdf.Attached(name, data, "forged") for name, data in files.items()]
        return seal.seal(pdf.render("<p>The same words</p>", title="x", identifier="x", created=MADE, attachments=attached))

    @property
    def manifest(self) -> dict[str, object]:
        return dict(json.loads(self.files[MANIFEST]))


def make_sealed() -> Sealed:
    """The story, asked for, built, sealed and bundled."""
    cast = make_cast()
    model = story(cast)
    report = request(model=model, actor=cast.users["alice"])
    assert report.job is not None
    jobs.run(report.job, timezone.now())
    report.refresh_from_db()
    assert report.status == "ready", report.problem
    made = build.make(report)
    return Sealed(
        pdf=report.file().read(),
        plain=made.pdf,
        files=made.files,
        bundle=bundle.of(report),
        trust=Trust.read(json.dumps(trust.document()), "the test"),
        html=build.html(report, build.collect(model, report.size)),
    )


def ready(report: Report) -> Report:
    """Run its job and read it again."""
    assert report.job is not None
    jobs.run(report.job, timezone.now())
    return Report.objects.get(pk=report.pk)


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these members."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()
