"""Write the next revision of a model's dossier: the registry's blocks anew, people's blocks as they were or as edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.dossiers import rules
from stewardship.dossiers.errors import DossierMoved, EditRefused, NoTemplate
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.dossiers.providers import Filling
from stewardship.dossiers.rights import DossierRight
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.journal import canonical
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User


def revise(
    model: RegisteredModel,
    *,
    actor: User,
    reason: str,
    edits: Mapping[str, Any] | None = None,
    slug: str = "",
    version: ModelVersion | None = None,
    based_on: int | None = None,
) -> Revision:
    """The next revision of the dossier `slug` (the main one when empty), describing `version` (by default what is live, else the latest).

    `edits` maps section.block to a text, or a list of texts; an edit also says that the block is up to date. Where nothing differs
    the latest revision is returned. Raises NoTemplate, EditRefused naming the block, or DossierMoved when `based_on` is not the latest.
    """
    require(actor, DossierRight.REVISE, model)
    template = _template(model, slug)
    with transaction.atomic(), acting(actor, reason):
        dossier = _dossier(model, template)
        latest = dossier.as_of()
        if based_on is not None and based_on != (latest.number if latest else 0):
            raise DossierMoved(
                _("Somebody revised this dossier meanwhile."), field="based_on", remedy=_("Look at the changes, then save again.")
            )
        at = moment()
        version = version or described(model, at)
        content = _content(template, latest.content if latest else {}, edits or {}, Filling(model, version, at), actor)
        digest = canonical.digest(content)
        if latest is not None and latest.digest == digest and latest.version_id == (version.pk if version else None):
            return latest
        if dossier.template_id != template.pk:
            dossier.template = template
            dossier.save(update_fields=["template"])
        revision = Revision(
            dossier=dossier,
            number=latest.number + 1 if latest else 1,
            template=template,
            version=version,
            content=canonical.load(canonical.dump(content)),
            digest=digest,
        )
        revision.save()
    return revision


def hold(model: RegisteredModel) -> None:
    """Take the row of the main dossier, made when there is none, before any other that a revision needs; inside `acting` only.

    Whoever has taken a version's row and comes for the dossier afterwards waits for a reviser who waits for that version.
    """
    _dossier(model, _template(model, ""))


def described(model: RegisteredModel, at: datetime) -> ModelVersion | None:
    """The version a dossier speaks of: the one live in production, else live anywhere, else the latest registered."""
    live = Deployment.objects.live(at).filter(model=model).select_related("version")
    found: Deployment | None = live.order_by("-environment__production", "-environment__order", "-started_at").first()
    if found is not None:
        return found.version
    return model.versions.filter(registered_at__lte=at).order_by("-registered_at", "-id").first()


def _template(model: RegisteredModel, slug: str) -> Template:
    templates = Template.objects.for_region(model.region)
    found = templates.get(slug) if slug else next(iter(templates.values()), None)
    if found is None:
        raise NoTemplate(
            _("No dossier template is in use for %s.") % model.region,
            field="template",
            remedy=_("Ask whoever configures dossier templates to publish one."),
        )
    return found


def _dossier(model: RegisteredModel, template: Template) -> Dossier:
    """The dossier, made when there is none, its row locked against a second revision at once."""
    locked = Dossier.objects.select_for_update().filter(model=model, slug=template.slug)
    found = locked.first()
    if found is None:
        found = Dossier(model=model, slug=template.slug, template=template)
        try:
            with transaction.atomic():
                found.save()
        except IntegrityError:
            found = locked.get()
    return found


def _content(template: Template, before: dict[str, Any], edits: Mapping[str, Any], filling: Filling, actor: User) -> dict[str, Any]:
    held = before.get("blocks", {})
    known = {address: block for address, _section, block in rules.blocks(template.sections)}
    for address, value in edits.items():
        if address not in known:
            raise EditRefused(_("There is no block '%(address)s'.") % {"address": address}, field=address)
        problem = rules.edit_problem(known[address], value)
        if problem:
            raise EditRefused(problem, field=address)
    filled: dict[str, Any] = {}
    for address, block in known.items():
        if address in edits:
            filled[address] = {"value": edits[address], "edited_at": filling.at.isoformat(), "edited_by": str(actor.pk)}
        elif rules.is_written(block):
            filled[address] = held.get(address, {"value": None})
        else:
            filled[address] = {"value": filling.value(block["provider"])}
    return {"template": {"slug": template.slug, "version": template.version}, "blocks": filled}
