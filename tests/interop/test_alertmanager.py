"""A real Alertmanager sends to a running portal: its alert opens ours, a repeat is nothing new, its end resolves ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from pytest_django.live_server_helper import LiveServer

from monitoring.alerts.models import Alert
from monitoring.signals.models import Batch, Source
from stewardship.people.tokens import AccessToken
from tests.cast import Cast, make_model, make_version
from tests.monitoring.conftest import saved
from tests.processes import free_port, until

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager") or ""
PATIENCE = 60.0  # seconds; it groups and repeats within two
CONFIGURATION = """\
route:
  receiver: portal
  group_by: [alertname, model]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 2s
receivers:
  - name: portal
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization: {{type: Bearer, credentials_file: {token}}}
"""

pytestmark = [
    pytest.mark.interop,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not ALERTMANAGER, reason="interop: Alertmanager is not installed (sudo apt-get install -y prometheus-alertmanager)"),
]


class Told:
    """A running Alertmanager: `told(starts=…, ends=…)` tells it of one alert about tumour-risk."""

    def __init__(self, address: str) -> None:
        self.base = f"http://{address}"

    def is_ready(self) -> bool:
        try:
            return "OK" in self._get("/-/ready")
        except OSError:
            return False

    def __call__(self, *, starts: datetime, ends: datetime) -> None:
        labels = {"alertname": "ModelDrift", "model": "tumour-risk", "version": "1.1.0", "region": "DE", "severity": "investigate"}
        times = {"startsAt": starts.isoformat(), "endsAt": ends.isoformat()}
        body = json.dumps([{"labels": labels, "annotations": {"summary": "Mean radius drifts"}, **times}]).encode()
        with urlopen(Request(f"{self.base}/api/v2/alerts", body, {"Content-Type": "application/json"}), timeout=10) as response:
            assert response.status == 200

    def sent(self) -> int:
        """How many bodies it sent to the portal, by its own count."""
        return self._count("alertmanager_notifications_total")

    def refused(self) -> int:
        return self._count("alertmanager_notifications_failed_total")

    def _count(self, metric: str) -> int:
        lines = [line for line in self._get("/metrics").splitlines() if line.startswith(metric + "{") and 'integration="webhook"' in line]
        return sum(int(float(line.rpartition(" ")[2])) for line in lines)

    def _get(self, path: str) -> str:
        with urlopen(self.base + path, timeout=5) as response:
            return str(response.read().decode())


@pytest.fixture
def tell(cast: Cast, live_server: LiveServer, tmp_path: Path) -> Iterator[Told]:
    """An Alertmanager that sends what it is told to the portal, with the token of a source."""
    make_version(make_model(cast), "1.1.0")
    pipeline = cast.users["pipeline"]
    saved(Source(slug="am", name="Alertmanager", kind="alertmanager", region=cast.regions["eu"], user=pipeline))
    _row, plain = AccessToken.issue(user=pipeline, name="Alertmanager", scopes=["write"], days=1, actor=pipeline)
    token = tmp_path / "token"
    token.write_text(plain)
    settings = tmp_path / "alertmanager.yml"
    settings.write_text(CONFIGURATION.format(url=f"{live_server.url}/api/v1/inbound/am/", token=token))
    address = f"127.0.0.1:{free_port()}"
    command = [ALERTMANAGER, f"--config.file={settings}", f"--storage.path={tmp_path / 'am'}", f"--web.listen-address={address}"]
    with (tmp_path / "alertmanager.log").open("w+") as log:
        process = subprocess.Popen([*command, "--cluster.listen-address="], stdout=log, stderr=log)
        try:
            told = Told(address)
            until(told.is_ready, PATIENCE, "Alertmanager is ready")
            yield told
        finally:
            process.terminate()
            process.wait(30)


def test_its_alert_opens_repeats_and_ends(tell: Told) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=1)
    tell(starts=begun, ends=begun + timedelta(hours=1))
    until(lambda: Alert.objects.unresolved().exists(), PATIENCE, "The alert opens")
    alert = Alert.objects.get()
    assert alert.title.startswith("Mean radius drifts")
    assert (alert.level, alert.status, alert.version.label, alert.region.code) == ("investigate", "open", "1.1.0", "de")  # type: ignore[union-attr]

    tell(starts=begun, ends=datetime.now(UTC))
    until(lambda: not Alert.objects.unresolved().exists(), PATIENCE, "The alert ends")
    assert Alert.objects.get().resolution == "source"


def test_a_repeat_is_nothing_new(tell: Told) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=1)
    tell(starts=begun, ends=begun + timedelta(hours=1))
    until(lambda: Alert.objects.unresolved().exists(), PATIENCE, "The alert opens")
    until(lambda: tell.sent() >= 3, PATIENCE, "Alertmanager repeats itself twice")
    assert tell.refused() == 0
    assert (Alert.objects.count(), Batch.objects.count()) == (1, 1)
