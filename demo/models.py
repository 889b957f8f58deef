"""The twelve families of models, and where each of the forty is in its life."""

from __future__ import annotations

from datetime import timedelta

from demo.data import read
from demo.world import World
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.regions.models import LegalEntity


def set_up_families(world: World) -> None:
    """Families exist before their models do."""
    with world.as_("gemma", world.beginning + timedelta(hours=1), "Families of models"):
        for row in read("models")["families"]:
            family = ModelFamily(**row | {"region": world.regions[row["region"]]})
            family.full_clean()
            family.save()
            world.families[family.slug] = family


def find(world: World) -> None:
    """The families and models that are there."""
    world.families = {family.slug: family for family in ModelFamily.objects.all()}
    world.models = {model.slug: model for model in RegisteredModel.objects.select_related("region", "family")}


def entity_of(world: World, region: str) -> LegalEntity | None:
    """The company that answers in law for a model of this region; None where several share it."""
    return LegalEntity.objects.filter(region=world.regions[region]).first()
