"""What there is in the world of the permission table, by noun and by the place where it lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.test import Client

from governance.approvals.models import Decision, Requirement, Route, RouteRule, Stage
from governance.audits.models import Report
from governance.changes.models import ChangeRequest, ChangeRevision, RollbackPlan
from governance.evidence.models import Artifact
from governance.gate.models import Permit, Standing, Verdict
from governance.policies.models import Evaluation, Policy, PolicyVersion, Rule, Waiver
from governance.risk.models import Assessment, Questionnaire
from monitoring.alerts.models import Alert
from monitoring.signals.models import Batch, Metric, Quarantined, Series, Source, Window
from monitoring.signals.models import Verdict as SourceVerdict
from monitoring.thresholds.models import Override, Track
from monitoring.thresholds.models import Rule as Threshold
from stewardship.access.models import RegionGrant
from stewardship.actions.models import Action
from stewardship.coverage.models import Gap
from stewardship.documents.models import Blob, Job
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.escalation.models import Path, Run
from stewardship.frameworks.models import Applicability, Clause, Framework
from stewardship.inventory.models import (
    DataDomain,
    Deployment,
    Environment,
    FamilyGrant,
    ModelFamily,
    ModelGrant,
    ModelVersion,
    Project,
    RegisteredModel,
)
from stewardship.notices.models import Delivery, Notice
from stewardship.people.models import Absence, Delegation, Membership, Team, User
from stewardship.people.tokens import AccessToken
from stewardship.regions.models import Bound, LegalEntity, Region, Setting, WorkingCalendar
from stewardship.roles.models import Role, RoleAssignment, SeparationRule
from stewardship.signing.models import Signature
from stewardship.threads.models import Thread
from tests.cast import Cast

PLACES = ("de", "fr", "jp")
OF_RIGHT = "inventory:model:view"  # of grants, only those of this right are in stock: all of them fill many pages
MARKS = {"de": "zzdexter", "fr": "zzfriday", "jp": "zzjupiter"}


@dataclass
class World:
    """Rows by noun and place, and a client for every kind of person."""

    cast: Cast
    rows: dict[str, dict[str, list[Model]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)

    def one(self, label: str, place: str) -> Any:
        """The first row of this noun in this place, or of no place at all."""
        found = self.rows[label]
        row = next(iter(found.get(place) or found.get("") or ()), None)
        assert row is not None, f"the world has no {label} in {place}"
        return row

    def ids(self, label: str, places: frozenset[str]) -> frozenset[str]:
        """The ids of all rows of this noun in these places, and of those that belong to no place."""
        return frozenset(str(row.pk) for place in (*places, "") for row in self.rows[label].get(place, ()))


# Where a row lies, said once more and apart from `access_paths`, which are what is being tested: the way to its region.
WHERE: Mapping[str, tuple[type[Model], ...]] = {
    "": (Region,),
    "region": (
        *(LegalEntity, WorkingCalendar, Setting, Team, Project, ModelFamily, RegisteredModel, Deployment, Applicability, Policy, RouteRule),
        *(Threshold, Path, Template, Questionnaire, Source, Run, Thread, Action, Gap, Alert, Series, ChangeRequest, Evaluation),
        *(SourceVerdict, Override),
        *(Verdict, Standing, Permit),
    ),
    "home_region": (User,),
    "team.region": (Membership,),
    "user.home_region": (Absence, AccessToken),
    "delegator.home_region": (Delegation,),
    "recipient.home_region": (Notice,),
    "notice.recipient.home_region": (Delivery,),
    "requested_by.home_region": (Job,),
    "signer.home_region": (Signature,),
    "model.region": (ModelVersion, Dossier, Waiver, Assessment, Report),
    "version.model.region": (Artifact,),
    "dossier.model.region": (Revision,),
    "series.region": (Window, Track),
    "source.region": (Batch, Quarantined),
    "policy.region": (PolicyVersion,),
    "version.policy.region": (Rule,),
    "change.region": (RollbackPlan, ChangeRevision, Route, Decision),
    "route.change.region": (Stage,),
    "stage.route.change.region": (Requirement,),
}
NOWHERE: tuple[type[Model], ...] = (Framework, Clause, Metric, Bound, DataDomain, Environment, Role, SeparationRule)


def take_stock(world: World) -> None:
    """Everything there is, by the place where it lies; what lies nowhere in particular under the empty name."""
    world.rows.clear()
    for chain, nouns in WHERE.items():
        for noun in nouns:
            for row in noun._default_manager.all():
                found: Any = row
                for step in filter(None, chain.split(".")):
                    found = getattr(found, step)
                world.rows[noun._meta.label][found.code if found else "nobody"].append(row)
    for noun in NOWHERE:
        world.rows[noun._meta.label][""] = list(noun._default_manager.all())
    for assignment in RoleAssignment.objects.all():
        scope = assignment.region or (assignment.family or assignment.model).region
        world.rows["stewardship.RoleAssignment"][scope.code].append(assignment)
    for grant in (RegionGrant, FamilyGrant, ModelGrant):
        for row in grant.objects.filter(permission__codename=OF_RIGHT).select_related("content_object"):
            scope = row.content_object if grant is RegionGrant else row.content_object.region
            world.rows[grant._meta.label][scope.code].append(row)
    for place, mark in MARKS.items():
        world.rows["a file of a person"][place] = list(Blob.objects.filter(name=f"{mark}.txt"))
        world.rows["a file of evidence"][place] = [artifact.blob for artifact in Artifact.objects.filter(name=f"{mark}.json")]
        made = list(Report.objects.filter(status="ready", blob__name=f"{mark}.pdf"))
        world.rows["a ready report"][place] = made
        world.rows["a file of a report"][place] = [report.blob for report in made]
        world.rows["a breach"][place] = list(Alert.objects.filter(kind="threshold", episode=2, cause=f"{mark} drift"))
