"""Regions with their calendars, legal entities, environments, and the values that regions set."""

from __future__ import annotations

from decimal import Decimal

from demo.data import read
from demo.world import World
from stewardship.inventory.models import Environment
from stewardship.journal.acting import acting
from stewardship.regions.models import Bound, LegalEntity, Region, WorkingCalendar
from stewardship.regions.settings import set_value

OFFICE_HOURS = {day: [["09:00", "12:30"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def set_up(world: World) -> None:
    """Everything that exists before the first person does."""
    data = read("organisation")
    with acting(world.system, f"{data['name']} begins to use Concordat", at=world.beginning):
        for row in data["regions"]:
            region = Region(code=row["code"], name=row["name"], parent=world.regions.get(row.get("parent", "")), language=row["language"])
            region.save()
            world.regions[region.code] = region
        for row in data["calendars"]:
            calendar = WorkingCalendar(region=world.regions[row["region"]], zone=row["zone"], country=row["country"], week=OFFICE_HOURS)
            calendar.full_clean()
            calendar.save()
        for row in data["entities"]:
            LegalEntity(name=row["name"], region=world.regions[row["region"]]).save()
        for row in data["environments"]:
            environment = Environment(**row)
            environment.save()
            world.environments[environment.slug] = environment
        for row in data["bounds"]:
            Bound(**row | {"low": Decimal(row["low"]), "high": Decimal(row["high"])}).save()
        for row in data["settings"]:
            set_value(world.regions[row["region"]], row["parameter"], Decimal(row["value"]), actor=world.system)


def find(world: World) -> None:
    """The same, where it was made before."""
    world.regions = {region.code: region for region in Region.objects.all()}
    world.environments = {environment.slug: environment for environment in Environment.objects.all()}
