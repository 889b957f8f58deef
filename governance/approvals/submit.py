"""Put a change before those who must agree: facts once, policies judged, route chosen and frozen, first people asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal.errors import DomainError, IllegalTransition
from governance.approvals import rules
from governance.approvals.advance import begin_stage, complete, end, end_route
from governance.approvals.choose import Chosen, choose
from governance.approvals.errors import NotYetCompliant, VacantRole
from governance.approvals.models import Requirement, Route, Stage
from governance.approvals.who import excluded, panels
from governance.changes.errors import Incomplete
from governance.changes.facts import assemble
from governance.changes.models import ChangeRequest, ChangeRevision, Status
from governance.changes.ready import hindrances
from governance.changes.rights import ChangeRight
from governance.evidence.facts import listed
from governance.policies.evaluate import evaluate
from governance.policies.models import Evaluation
from governance.policies.models import Verdict as PolicyVerdict
from stewardship.access import require
from stewardship.inventory.models import ModelVersion
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User, system_user
from stewardship.roles.models import Role


def submit(change: ChangeRequest, *, actor: User) -> Route:
    """Ask for agreement. Raises Incomplete, NoRoute, VacantRole (all with what to do), Conflict; then nothing is written."""
    require(actor, ChangeRight.SUBMIT, change)
    try:
        with transaction.atomic(), acting(actor, _("Submitted")):
            change.locked()
            if change.status not in (Status.DRAFT, Status.RETURNED):
                raise IllegalTransition(str(change.get_status_display()), str(Status.SUBMITTED.label))
            change.refuse_second_review()
            _write_revision(change)
            fields = {name: getattr(change, name) for name in ("revision", "evidence", "content_digest")}
            change.move(
                Status.SUBMITTED, actor=actor, reason=_("Submitted"), submitted_by=actor, submitted_at=moment(), decided_at=None, **fields
            )
            return _open_route(change, actor)
    except DomainError:
        change.refresh_from_db()  # nothing was written, so our copy must not say otherwise
        raise


def start_over(change: ChangeRequest, actor: User) -> None:
    """The content was edited while people were deciding: what they decided no longer counts, and they are asked again."""
    require(actor, ChangeRight.SUBMIT, change)
    with acting(actor, _("Edited in review")):
        _ask_again(change, actor)


@contextmanager
def around_new_evidence(version: ModelVersion) -> Iterator[None]:
    """Evidence is part of what people agree to: when other evidence comes while they decide, they are asked again on that.

    The system asks: whoever brought the file edited nothing, and may be one of those who decide.
    """
    reviews = ChangeRequest.objects.in_review().filter(version=version).order_by("pk")
    # Changes first, then the version: deciding and submitting lock them in this order too.
    list(reviews.select_for_update().values_list("pk", flat=True))
    yield
    now = listed(version)
    for change in reviews.select_related("model", "version", "environment", "region", "owner"):
        if change.evidence != now:
            _on_new_evidence(change)


def _on_new_evidence(change: ChangeRequest) -> None:
    system = system_user()
    # The system acts, and why it could not go on is kept: not in the language of whoever attached the file.
    with translation.override("en"), acting(system, "Other evidence was attached in review"):
        try:
            with transaction.atomic():
                _ask_again(change, system)
        except DomainError as refusal:
            # The file is kept whatever becomes of the review; its owner reads why nobody could be asked again.
            end(
                ChangeRequest.objects.get(pk=change.pk),
                Status.RETURNED,
                Route.Status.RETURNED,
                actor=system,
                reason=f"Other evidence was attached, and nobody could be asked again: {refusal.message}",
            )


def _ask_again(change: ChangeRequest, actor: User) -> None:
    end_route(change, Route.Status.SUPERSEDED, actor=actor)
    _write_revision(change)
    change.save(update_fields=["revision", "evidence", "content_digest"])
    _open_route(change, actor)


def _write_revision(change: ChangeRequest) -> None:
    """Fix the exact content: evidence as it is now, one revision up, digest. Raises Incomplete."""
    change.revision += 1
    change.evidence = listed(change.version)
    if gaps := hindrances(change, moment()):
        text = ngettext(
            "One thing is missing before this can be submitted.", "%(n)d things are missing before this can be submitted.", len(gaps)
        )
        raise Incomplete(text % {"n": len(gaps)}, missing=gaps)
    change.content_digest = change.digest()
    ChangeRevision(change=change, number=change.revision, content=change.content(), digest=change.content_digest).save()


def _open_route(change: ChangeRequest, actor: User) -> Route:
    at = moment()
    facts = assemble(change, at)
    evaluation = evaluate(facts, subject_kind="change", subject_id=change.pk, model=change.model, region=change.region, at=at, actor=actor)
    chosen = choose(change, evaluation.facts)
    stages = rules.read_stages(chosen.rule.stages, human=chosen.rule.human)
    roles = _roles(stages, chosen)
    if chosen.rule.human:
        _refuse_vacant(change, stages, roles, at)
    else:
        _refuse_unjudged(change, evaluation, chosen)
    route = _freeze(change, chosen, evaluation, at)
    for order, spec in enumerate(stages):
        stage = Stage(route=route, order=order, name=spec.name)
        stage.save()
        for wanted in spec.requirements:
            Requirement(
                stage=stage, role=roles[wanted.role], scope=wanted.scope, quorum=wanted.quorum, within_minutes=wanted.within_minutes
            ).save()
    if chosen.rule.human:
        begin_stage(route, 0, actor=actor)
    else:
        complete(route, actor=actor, reason=_("Approved without a person, as the rule “%(rule)s” allows") % {"rule": chosen.rule.name})
    return route


def _freeze(change: ChangeRequest, chosen: Chosen, evaluation: Evaluation, at: datetime) -> Route:
    rule = chosen.rule
    route = Route(
        change=change,
        revision=change.revision,
        rule=rule,
        evaluation=evaluation,
        human=rule.human,
        frozen={
            "name": rule.name,
            "region": rule.region.code,
            "when": rule.when,
            "human": rule.human,
            "stages": rule.stages,
            "review_days": rule.review_days,
            "valid_days": rule.valid_days,
            "considered": list(chosen.considered),
            "why": chosen.why,
        },
        started_at=at,
        lapses_at=at + timedelta(days=rule.review_days) if rule.review_days else None,
    )
    route.save()
    return route


def _roles(stages: tuple[rules.StageSpec, ...], chosen: Chosen) -> dict[str, Role]:
    wanted = {each.role for stage in stages for each in stage.requirements}
    found = {role.slug: role for role in Role.objects.filter(slug__in=wanted)}
    if unknown := sorted(wanted - found.keys()):
        raise VacantRole(
            _("The route “%(rule)s” asks for %(roles)s, and there is no such role.")
            % {"rule": chosen.rule.name, "roles": ", ".join(unknown)},
            field="route",
            remedy=_("Ask whoever configures routes in %(region)s to correct it.") % {"region": chosen.rule.region},
        )
    return found


def _refuse_vacant(change: ChangeRequest, stages: tuple[rules.StageSpec, ...], roles: dict[str, Role], at: datetime) -> None:
    """A stage that cannot be met fails now, not at its deadline."""
    barred = excluded(change)
    before: list[tuple[int, frozenset[UUID]]] = []  # the seats of the stages so far, which other people fill
    for stage in stages:
        held = panels([(roles[each.role], each.scope) for each in stage.requirements], change, barred, at)
        people = list(zip(stage.requirements, held, strict=True))
        mine = [(each.quorum, frozenset(found.able)) for each, found in people]
        if rules.can_be_met(mine if stage.same_people else before + mine):
            before += [] if stage.same_people else mine
            continue
        short = [(each, found) for each, found in people if len(found.able) < each.quorum] or people
        told = "; ".join(_shortage(roles[each.role], each, len(found.able), len(found.barred)) for each, found in short)
        if rules.can_be_met(mine):
            told = _("its people are needed in the stages before it, and nobody decides in two stages")
        raise VacantRole(
            _("The stage “%(stage)s” cannot be met: %(told)s.") % {"stage": stage.name, "told": told},
            field="route",
            remedy=_("Assign somebody who neither drafted, submitted nor built this, then submit again."),
        )


def _shortage(role: Role, wanted: rules.Wanted, able: int, barred: int) -> str:
    text = _("%(role)s needs %(quorum)d, and %(able)d may decide") % {"role": role.name, "quorum": wanted.quorum, "able": able}
    return text + (_(" (%(n)d excluded because they worked on it)") % {"n": barred} if barred else "")


def _refuse_unjudged(change: ChangeRequest, evaluation: Evaluation, chosen: Chosen) -> None:
    if evaluation.verdict == PolicyVerdict.ALLOW:
        return
    raise NotYetCompliant(
        _("“%(rule)s” approves without a person only when every blocking rule is met; the policies say: %(verdict)s.")
        % {"rule": chosen.rule.name, "verdict": evaluation.get_verdict_display()},
        field="route",
        remedy=" ".join(dict.fromkeys(each["remedy"] for each in hindering(evaluation) if each.get("remedy"))),
    )


def hindering(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The findings that stand between this and a yes."""
    return [each for each in evaluation.findings if each["severity"] not in ("warn", "info") and each["outcome"] not in ("met", "waived")]
