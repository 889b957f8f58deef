"""Registering models and versions; every field is checked before anything is written."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.inventory.errors import AlreadyRegistered, BadDigest, BadField
from stewardship.inventory.models import ModelFamily, ModelVersion, RegisteredModel, Stage
from stewardship.inventory.rights import ModelRight, VersionRight
from stewardship.journal.acting import acting, moment
from stewardship.journal.canonical import FloatRefused, Unwritable, dump
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from stewardship.people.models import User

_SHA256 = re.compile(r"^[0-9a-f]{64}$")


def _check(row: Any) -> None:
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadField(" ".join(messages), field="" if field == "__all__" else field, remedy=_("Correct this field.")) from error


def digest_of(data: bytes) -> str:
    """What `register_version` takes as the digest of an artifact: SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def check_digest(digest: str) -> str:
    """The digest without a leading `sha256:`; raises BadDigest for anything that is not SHA-256 in lower-case hex."""
    text = str(digest).removeprefix("sha256:")
    if not _SHA256.match(text):
        raise BadDigest(_("This is not a SHA-256 digest."), field="digest", remedy=_("Give 64 characters of lower-case hex."))
    return text


def register_model(
    *, actor: User, family: ModelFamily, region: Region, slug: str, name: str, purpose: str, reason: str = "", **fields: Any
) -> RegisteredModel:
    """Register a model of a family in a region; raises AlreadyRegistered (slug) and BadField (naming the field)."""
    require(actor, ModelRight.REGISTER, region)
    unknown = set(fields) - _OPTIONAL
    if unknown:
        raise BadField(
            _("A model has no field %(name)r.") % {"name": sorted(unknown)[0]}, field=sorted(unknown)[0], remedy=_("Leave it out.")
        )
    with acting(actor, reason or "Registered"):
        model = RegisteredModel(
            slug=slug, name=name, family=family, region=region, purpose=purpose, registered_at=moment(), stage=Stage.CONCEPT, **fields
        )
        _check(model)
        if fields.get("ruling") == "non_model" and not fields.get("ruling_rationale"):
            raise BadField(_("Why is this not a model?"), field="ruling_rationale", remedy=_("Give the reason for the ruling."))
        entity = model.legal_entity
        if entity is not None and entity.region_id not in region.way_up():
            raise BadField(
                _("%(entity)s does not answer for %(region)s.") % {"entity": entity, "region": region},
                field="legal_entity",
                remedy=_("Choose one of this region."),
            )
        try:
            with transaction.atomic():
                model.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyRegistered(
                _("There is a model %(slug)r already.") % {"slug": slug}, field="slug", remedy=_("Choose another short name.")
            ) from error
    return model


_OPTIONAL = frozenset(
    {
        "legal_entity",
        "outcome",
        "outcome_measure",
        "exposure",
        "purpose_class",
        "technique",
        "ruling",
        "ruling_rationale",
        "provider",
    }
)


def register_version(
    *,
    actor: User,
    model: RegisteredModel,
    label: str,
    digest: str,
    uri: str = "",
    code_revision: str = "",
    committer: str = "",
    reviewer: str = "",
    run: str = "",
    datasets: Any = None,
    libraries: Any = None,
    parent: ModelVersion | None = None,
    notes: str = "",
    reason: str = "",
) -> ModelVersion:
    """Register a build by the digest of its artifact; raises AlreadyRegistered (label or digest), BadDigest, BadField."""
    require(actor, VersionRight.REGISTER, model)
    digest = check_digest(digest)
    with acting(actor, reason or f"Version {label} registered"):
        version = ModelVersion(
            model=model,
            label=label.strip(),
            digest=digest,
            uri=uri,
            code_revision=code_revision,
            committer=committer,
            reviewer=reviewer,
            run=run,
            datasets=[] if datasets is None else datasets,
            libraries={} if libraries is None else libraries,
            parent=parent,
            notes=notes,
            registered_at=moment(),
        )
        for field in ("datasets", "libraries"):
            try:
                dump(getattr(version, field))
            except FloatRefused as error:
                raise BadField(str(error), field=field, remedy=_("Give numbers as decimals.")) from error
            except Unwritable as error:
                raise BadField(error.message, field=field, remedy=error.remedy) from error
        _check(version)
        try:
            with transaction.atomic():
                version.save(force_insert=True)
        except IntegrityError as error:
            raise _taken(version) from error
    return version


def _taken(version: ModelVersion) -> AlreadyRegistered:
    if ModelVersion.objects.filter(model=version.model, label=version.label).exists():
        return AlreadyRegistered(
            _("%(model)s has a version %(label)s already.") % {"model": version.model, "label": version.label},
            field="label",
            remedy=_("Choose a label that is not taken."),
        )
    return AlreadyRegistered(
        _("This artifact is registered already: its digest is known."), field="digest", remedy=_("Use the version that has this digest.")
    )


EDITABLE = _OPTIONAL | {"name", "purpose"}


def edit_model(model: RegisteredModel, *, actor: User, reason: str, **fields: Any) -> RegisteredModel:
    """Change what is said about a model (not tier or stage, which have verbs of their own)."""
    require(actor, ModelRight.EDIT, model)
    unknown = set(fields) - EDITABLE
    if unknown:
        raise BadField(_("%(name)r cannot be edited.") % {"name": sorted(unknown)[0]}, field=sorted(unknown)[0], remedy=_("Leave it out."))
    with transaction.atomic():
        model.refresh_from_db(from_queryset=RegisteredModel.objects.select_for_update())
        for field, value in fields.items():
            setattr(model, field, value)
        _check(model)
        if fields:
            with acting(actor, reason):
                model.save(update_fields=sorted(fields))
    return model
