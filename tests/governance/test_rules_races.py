"""Real threads, real transactions, PostgreSQL: two people, or one pipeline twice, at the same instant."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.portal.errors import Conflict
from governance.evidence.attach import attach
from governance.evidence.models import Artifact
from governance.policies.draft import add_rule, create_policy, next_version
from governance.policies.models import PolicyVersion
from stewardship.dossiers.models import Revision, Template
from stewardship.dossiers.revise import revise
from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from tests.cast import make_cast, make_model, make_version
from tests.stewardship.test_calls_races import at_once

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL"),
]
SECTIONS = [{"key": "use", "title": "Use", "blocks": [{"key": "intent", "title": "Intent", "type": "text"}]}]
N = 4


def test_everybody_gets_one_whole_answer(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "blobs"
    cast, system = make_cast(), system_user()
    version = make_version(make_model(cast))
    template = Template(slug="card", name="Card", region=cast.regions["global"], sections=SECTIONS)
    with acting(system):
        template.save()
    template.publish(actor=system)

    written = at_once(
        *(partial(revise, version.model, actor=system, reason=str(n), edits={"use.intent": f"Words of {n}"}) for n in range(N))
    )
    assert all(isinstance(one, Revision) for one in written), written
    assert sorted(Revision.objects.values_list("number", flat=True)) == [1, 2, 3, 4], "nobody overwrote anybody"

    given = {"version": version, "kind": "metrics", "data": b'{"metrics": {"a": 1}}', "name": "m.json", "media_type": "application/json"}
    attached = at_once(*(partial(attach, actor=system, **given) for _ in range(N)))
    assert len({one.pk for one in attached}) == Artifact.objects.count() == 1

    first = create_policy(actor=system, slug="base", name="Base", region=cast.regions["global"])
    add_rule(first, actor=system, key="tier", title="Tier.", expression="has(model.tier)")
    published = at_once(*(partial(PolicyVersion.objects.get(pk=first.pk).publish, actor=system) for _ in range(N)))
    assert [one is None for one in published].count(True) == 1
    drafted = at_once(*(partial(next_version, first.policy, actor=system) for _ in range(N)))
    assert sorted(type(one) is PolicyVersion for one in drafted) == [False] * (N - 1) + [True]
    assert all(isinstance(one, PolicyVersion | Conflict) for one in drafted), drafted
