"""tumour-risk up to today: 1.0.0 in production. The tour tells how 1.1.0 follows and 1.2.0 does not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from demo import acts, tumour_risk
from demo.chronicle import Story
from demo.data import read
from demo.pace import Pace
from demo.world import World
from stewardship.inventory.models import Stage

DOSSIER = {
    "purpose.use": "Pathologists see the probability beside the image, after they have written down their own first impression.",
    "purpose.not_for": ["Screening without a pathologist", "Masses outside the breast", "Deciding on a treatment"],
    "build.data": "569 fine-needle aspirates; 284 train the model, 171 test it, 114 are held back for monitoring.",
    "limits.known": "Small tumours are rare in the data: only 5 of 64 malignant test cases lie below the median size.",
    "limits.people": "A missed malignant case delays a treatment. A false alarm costs a patient a biopsy and weeks of fear.",
    "oversight.how": "The pathologist decides. The second reading can be switched off for a ward within a minute.",
}


def story(world: World) -> Story:
    """Registered eleven months ago, approved for Germany, then for the United States."""
    row = next(each for each in read("models")["models"] if each["slug"] == "tumour-risk")
    yield (at := world.ago(330, 9))
    model = acts.register(world, at, "anna", row)
    yield (at := world.ago(322, 13))
    acts.judge_risk(world, at, "anna", model, {"harm": "health", "autonomy": "person", "complexity": "tools", "reach": "some"})
    acts.move(world, at, "anna", model, [Stage.DEVELOPMENT], "Work has begun")
    yield (at := world.ago(301, 15))
    version = acts.build(world, at, model, committer="sofia", reviewer="tomasz", **tumour_risk.version_fields("1.0.0"))
    acts.bring_evidence(world, at, version, tumour_risk.evidence("1.0.0"))
    yield (at := world.ago(299, 10))
    acts.write_dossier(world, at, "anna", model, "First model card", DOSSIER)
    acts.move(world, at, "anna", model, [Stage.VALIDATION], "Ready to be looked at by the second line")
    for days, region, title in ((290, "de", "Second reading in German hospitals"), (210, "us", "Second reading in partner clinics")):
        pace = Pace(world, days, 8)
        yield (at := pace.at)
        change = acts.ask(
            world,
            at,
            "anna",
            model,
            version=version,
            environment=world.environments["production"],
            region=world.regions[region],
            title=title,
            rationale="Pathologists asked for a second reading that never sees their first impression.",
            observed_shifts="None known: the rows of the training were collected in the same way.",
            policy_considerations="High risk under the EU AI Act: dossier, oversight and monitoring are in place.",
            ethical_considerations="Missed cases weigh most. Whoever is called back for nothing must be told the same day.",
            tradeoffs=[{"gain": "Every coefficient can be read", "loss": "Misses more malignant cases than a freer model would"}],
            testing_protocol=[{"what": "Recall on held-back rows", "until": "weekly"}],
            rollout_plan="One hospital for two weeks, then all of them.",
            release_notes="First version: logistic regression, strongly regularised.",
            watch_days=14,
            rollback={
                "trigger": "Recall below 0.80 on 50 confirmed cases",
                "steps": "Switch the second reading off; pathologists decide alone.",
                "criteria": [{"metric": "recall", "comparison": "below", "bound": Decimal("0.80")}],
            },
        )
        yield (at := pace.later(1, 9))
        acts.put_forward(world, at, "anna", change)
        yield (at := pace.later(1, 14))
        acts.answer(world, at, "tomasz", change, comment="Reproduced the training run; the digests agree.")
        yield (at := pace.later(2, 10))
        acts.answer(world, at, "victor", change, comment="Independent test on 171 rows: recall 0.89, interval 0.81 to 0.96.")
        yield (at := pace.later(0, 14))
        risk = "ruth" if region == "de" else "rosa"
        acts.answer(world, at, risk, change, comment="The promise is the lower end, 0.81; acceptable with a pathologist deciding.")
        yield (at := pace.later(1, 7))
        acts.deploy(world, at, version, region)
    yield (at := world.ago(2, 6))
    acts.report(world, at, list(_weeks(world, version.label)))


def _weeks(world: World, label: str) -> list[dict[str, object]]:
    found = []
    for week in range(26, 0, -1):
        end = world.ago(2, 5) - timedelta(weeks=week - 1)
        start = end - timedelta(weeks=1)
        swing = Decimal((week * 7) % 5) / 1000
        for region in ("de", "us"):
            found.append(acts.window("tumour-risk", label, region, "brier", Decimal("0.045") + swing, 96, start, end))
            found.append(acts.window("tumour-risk", label, region, "recall", Decimal("0.89") + swing, 96, start, end))
    return found
