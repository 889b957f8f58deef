"""What the bank has decided: policies, routes, thresholds, escalation paths, questionnaire, dossier template, frameworks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from demo.data import read
from demo.world import World
from governance.approvals.models import RouteRule
from governance.policies.draft import add_rule, create_policy
from governance.risk.models import Questionnaire
from monitoring.signals.models import Metric, Source
from monitoring.thresholds.models import Rule as Threshold
from monitoring.thresholds.override import override
from stewardship.dossiers.models import Template
from stewardship.escalation.models import Path, Step
from stewardship.frameworks.load import load
from stewardship.frameworks.models import Clause
from stewardship.roles.models import Role


def set_up(world: World) -> None:
    """All of it, by the global administrator on the first day."""
    data = read("rules")
    roles = {role.slug: role for role in Role.objects.all()}
    with world.as_("gemma", world.beginning, "The rules of the house"):
        for row in data["frameworks"]:
            _framework(world, row)
        for row in data["policies"]:
            _policy(world, row, roles)
        for row in data["routes"]:
            _route(world, row)
        for row in data["paths"]:
            _path(world, row, roles)
        for row in data["questionnaires"]:
            _questionnaire(world, row)
        for row in data["templates"]:
            _template(world, row)
        for row in data["metrics"]:
            Metric(**row).save()
        for row in data["sources"]:
            source = Source(**row | {"region": world.regions[row["region"]], "user": world.people["pipeline"]})
            source.full_clean()
            source.save()
        for row in data["thresholds"]:
            _threshold(world, row)
        for row in data["overrides"]:
            override(
                actor=world.people["gemma"],
                rule=Threshold.objects.get(name=row["rule"]),
                region=world.regions[row["region"]],
                parameter=row["parameter"],
                value=Decimal(row["value"]),
                reason=row["reason"],
            )


def _framework(world: World, row: dict[str, Any]) -> None:
    document = {
        "slug": row["slug"],
        "name": row["name"],
        "jurisdiction": row["jurisdiction"],
        "edition": row["version"],
        "clauses": [{"ref": ref, "title": title, "summary": summary} for ref, title, summary in row["clauses"]],
        "applies": [{"region": region, "from": world.beginning.date().isoformat()} for region in row["regions"]],
    }
    load(document, world.people["gemma"])


def _policy(world: World, row: dict[str, Any], roles: dict[str, Role]) -> None:
    gemma = world.people["gemma"]
    version = create_policy(
        actor=gemma, slug=row["slug"], name=row["name"], region=world.regions[row["region"]], description=row["description"]
    )
    for order, rule in enumerate(row["rules"]):
        framework, ref = rule["clause"]
        fields = {name: value for name, value in rule.items() if name not in ("remedy_role", "clause")}
        add_rule(
            version,
            actor=gemma,
            order=order,
            remedy_role=roles[rule["remedy_role"]],
            clause=Clause.objects.get(framework__slug=framework, ref=ref),
            **fields,
        )
    version.publish(actor=gemma, reason="First version")


def _route(world: World, row: dict[str, Any]) -> None:
    stages = [
        {
            "name": stage["name"],
            "requirements": [{**wanted, "within_minutes": stage["working_minutes"]} for wanted in stage["requirements"]],
        }
        for stage in row["stages"]
    ]
    rule = RouteRule(**row | {"region": world.regions[row["region"]], "stages": stages})
    rule.full_clean()
    rule.save()


def _path(world: World, row: dict[str, Any], roles: dict[str, Role]) -> None:
    fields = {name: value for name, value in row.items() if name != "steps"}
    path = Path(**fields | {"region": world.regions[row["region"]]})
    path.full_clean()
    path.save()
    for order, step in enumerate(row["steps"]):
        made = Step(path=path, order=order, **step | {"role": roles[step["role"]]})
        made.full_clean()
        made.save()


def _questionnaire(world: World, row: dict[str, Any]) -> None:
    questionnaire = Questionnaire(**row | {"region": world.regions[row["region"]]})
    questionnaire.full_clean()
    questionnaire.save()
    questionnaire.publish(actor=world.people["gemma"], reason="First version")


def _template(world: World, row: dict[str, Any]) -> None:
    template = Template(**row | {"region": world.regions[row["region"]]})
    template.full_clean()
    template.save()
    template.publish(actor=world.people["gemma"], reason="First version")


def _threshold(world: World, row: dict[str, Any]) -> None:
    levels = {level: Decimal(bound) for level, bound in row["levels"].items()}
    rule = Threshold(
        **row
        | {
            "region": world.regions[row["region"]],
            "metric": Metric.objects.get(slug=row["metric"]),
            "levels": levels,
            "valid_from": world.beginning,
        }
    )
    rule.full_clean()
    rule.save()
