"""The sentence that answers the page's question, in each status, and what notices and escalations lead to."""

from __future__ import annotations

import pytest
from django.utils import timezone

from governance.approvals import subjects
from governance.approvals.models import Requirement
from governance.approvals.review import MetricRow, answer, if_nothing_is_done, metric_rows, read
from governance.approvals.submit import submit
from governance.changes.find import find
from governance.changes.models import ChangeRequest
from governance.gate.deploy import record_deployment
from stewardship.escalation.models import Path, Step
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


@pytest.fixture
def change(cast: Cast, model: RegisteredModel, version: ModelVersion) -> ChangeRequest:
    policy(cast)
    route(cast, valid_days=14, review_days=30)
    made = full_draft(cast, model, version)
    submit(made, actor=cast.users["alice"])
    return fresh(made)


def said(change: ChangeRequest) -> str:
    return answer(read(fresh(change), timezone.now()))


def test_who_is_next_when_the_deadline_passes(cast: Cast, change: ChangeRequest) -> None:
    with acting(system_user(), "A path"):
        path = Path(slug="approvals", name="Overdue", region=cast.regions["global"], subject_kind="approval")
        path.save()
        Step(path=path, order=1, role=cast.roles["compliance"], scope="root", after_seconds=60, expects="Decide").save()
    assert "then it goes to: compliance officer." in said(change)
    nothing = if_nothing_is_done(read(fresh(change), timezone.now()))
    assert "compliance officer is called" in nothing
    assert "The review lapses on" in nothing


def test_each_end_has_its_sentence(cast: Cast, change: ChangeRequest, bob: User, kate: User, alice: User) -> None:
    decides(change, bob, "return", "Say what happens to old scores")
    assert said(change) == "Bob Berger returned this: Say what happens to old scores"
    submit(fresh(change), actor=alice)
    decides(change, bob)
    assert "Waiting for 1 of 2 approvals. Risk officer has until" in said(change)
    decides(change, kate)
    assert said(change).startswith("Approved by Bob Berger, Kate Klein. The approval lasts until")
    assert "The approval lapses on" in if_nothing_is_done(read(fresh(change), timezone.now()))
    row = fresh(change)
    assert row.version is not None
    record_deployment(
        actor=cast.users["pipeline"], version=row.version, environment=cast.environments["production"], region=cast.regions["de"]
    )
    assert said(change).startswith("Approved and carried out on")
    assert if_nothing_is_done(read(fresh(change), timezone.now())) == ""


def test_a_rejection_and_a_withdrawal(cast: Cast, change: ChangeRequest, bob: User, alice: User, model: RegisteredModel) -> None:
    decides(change, bob, "reject", "Too risky")
    assert said(change) == "Bob Berger rejected this: Too risky"
    other = full_draft(cast, model, change.version, environment=cast.environments["staging"])  # type: ignore[arg-type]
    assert said(other) == "This draft is complete; Alice Adler can submit it."
    other.withdraw(actor=alice, reason="Not needed")
    assert said(other) == "This is withdrawn; nothing is being decided."


def test_an_approval_on_content_that_was_edited_is_shown_as_dismissed(change: ChangeRequest, bob: User, alice: User) -> None:
    decides(change, bob)
    fresh(change).edit(actor=alice, rationale="Another")
    seen = read(fresh(change), timezone.now())
    assert [each.person for each in seen.dismissed] == [bob]
    assert "Waiting for 2 of 2" in answer(seen)


def test_metrics_stand_side_by_side_and_chance_is_named() -> None:
    facts = {
        "evidence": {"metrics": {"recall": {"value": "0.97", "low": "0.9", "high": "1"}, "new": {"value": 1}}},
        "previous": {"metrics": {"recall": {"value": "0.9", "low": "0.8", "high": "0.95"}, "gone": {"value": None}}},
    }
    rows = {row.name: row for row in metric_rows(facts)}
    assert (rows["recall"].delta, rows["recall"].overlapping) == ("+0.07", True)
    assert (rows["new"].delta, rows["new"].overlapping) == ("", False)
    assert rows["gone"].old is None
    assert MetricRow("same", {"value": 1}, {"value": 1}).delta == "±0"
    assert not MetricRow("without interval", {"value": 1}, {"value": 2}).overlapping


def test_notices_lead_to_the_page_while_they_are_wanted(change: ChangeRequest, bob: User) -> None:
    requirement = Requirement.objects.asked().get()
    assert subjects.link_of_requirement(requirement.pk) == change.get_absolute_url() == subjects.link_of_change(change.pk)
    assert subjects.still_asked(requirement.pk)
    decides(change, bob)
    assert not subjects.still_asked(requirement.pk)


def test_routes_declare_the_roles_they_need(cast: Cast) -> None:
    assert list(subjects.needed_roles()) == []
    route(
        cast, "eu", stages=[{"name": "A", "requirements": [{"role": "risk"}, {"role": "executive", "scope": "root"}, {"role": "unknown"}]}]
    )
    assert [(need.role.slug, need.region.code, need.scope) for need in subjects.needed_roles()] == [
        ("risk", "eu", "model"),
        ("executive", "global", "root"),
    ]


def test_the_palette_finds_what_a_person_may_see(change: ChangeRequest, bob: User, gita: User) -> None:
    for text in (change.reference, str(change.number), "tumour"):
        (hit,) = find(bob, text, 5)
        assert hit.url == change.get_absolute_url()
        assert list(find(gita, text, 5)) == []
