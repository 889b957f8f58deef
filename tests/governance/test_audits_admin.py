"""Reports, files and jobs in the configuration: to look at, never to change."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from governance.audits.request import request
from stewardship.inventory.models import Deployment, RegisteredModel
from stewardship.people.models import User
from tests.governance.audit_case import ready


@pytest.mark.parametrize("name", ["governance_report", "stewardship_blob", "stewardship_job"])
def test_it_can_be_looked_at_and_not_be_made_or_changed(
    client: Client, dana: User, model: RegisteredModel, deployment: Deployment, name: str
) -> None:
    report = ready(request(model=model, actor=dana))
    client.force_login(dana, backend="allauth.account.auth_backends.AuthenticationBackend")
    found = {"governance_report": report, "stewardship_blob": report.blob, "stewardship_job": report.job}[name]
    assert found is not None
    assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    page = client.get(reverse(f"admin:{name}_change", args=[found.pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403
