"""What the tour's people do again and again, and the voice that tells it. HTTP only."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demo import tumour_risk
from demo.visitors import Answer, Person, Program, Unexpected, problems_of

ROOT = Path(__file__).resolve().parent.parent
MODEL, PLACE = "tumour-risk", {"environment": "production", "region": "de"}
REPORT_PATIENCE = 240  # seconds


class Guide:
    """The people of the example, and a voice that tells what they do."""

    def __init__(self, folder: Path, base: str = "") -> None:
        self.folder = folder
        told = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
        self.base = base or told["base_url"]
        self.known = {user["username"]: user for user in told["users"]}
        self.pipeline = self.program("pipeline")
        self.at_desks: dict[str, Person] = {}
        self.step = 0

    def program(self, username: str) -> Program:
        """The API with this person's token."""
        return Program(self.base, self.known[username]["token"])

    def person(self, username: str) -> Person:
        """This person at a browser, signed in."""
        if username not in self.at_desks:
            person = Person(self.base, username, self.known[username]["password"])
            person.sign_in()
            self.at_desks[username] = person
        return self.at_desks[username]

    def name(self, username: str) -> str:
        """What people call them."""
        return str(self.known[username]["name"])

    def say(self, text: str) -> None:
        """One step, in plain words."""
        self.step += 1
        print(f"{self.step:2}. {text}", flush=True)

    def add(self, text: str) -> None:
        """What belongs to the step before."""
        print(f"    {text}", flush=True)

    def bring(self, label: str) -> None:
        """The pipeline registers a version and attaches its evidence."""
        fields = tumour_risk.version_fields(label) | {"model": MODEL, "committer": "sofia", "reviewer": "tomasz"}
        version = self.pipeline.post("versions/", fields).wanted(201).json
        self.say(f"The pipeline registers {MODEL} {label}, digest {version['digest'][:12]}…")
        for kind, name, _media, data in tumour_risk.evidence(label):
            found = self.pipeline.attach("evidence/", {"version": version["digest"], "kind": kind}, name, data).wanted(201).json
            self.add(f"{name}: {_reading(found)}")

    def gate(self, label: str) -> dict[str, Any]:
        """What the gate says to the pipeline."""
        answer: dict[str, Any] = self.pipeline.post("gate/", {"model": MODEL, "version": label} | PLACE).wanted(200).json
        self.say(f"The pipeline asks the gate for {label} in production, Germany: {answer['verdict']}")
        for reason in answer["reasons"]:
            self.add(f"- {reason['text']} {reason.get('remedy', '')} {_who(reason)}".rstrip())
        for other in answer["alternatives"]:
            self.add(f"  Instead: {other['text']}")
        return answer

    def propose(self, model: str, label: str, values: dict[str, str]) -> str:
        """Anna opens a change and submits it; gives the address of its page."""
        anna = self.person("anna")
        version = self.pipeline.get("versions/", model=MODEL, label=label).wanted(200).json["results"][0]["id"]
        page = anna.get(f"/models/{model}/changes/new/?version={version}")
        production = _option(page, "environment", "Production")
        germany = _option(page, "region", "Germany")
        before = _option(page, "rollback_version", "1.0.0" if label == "1.1.0" else "1.1.0")
        choices = {"version": version, "environment": production, "region": germany, "rollback_version": before}
        drafted = anna.fill(page, values | choices, having="rollback_trigger").wanted(200)
        if "/changes/new/" in drafted.url:
            raise Unexpected(f"The change was not drafted: {' '.join(problems_of(drafted.text))}")
        submitted = anna.fill(drafted, {}, to="/submit/").wanted(200)
        if "/submit/" in submitted.text:
            raise Unexpected(f"The change was not submitted: {' '.join(problems_of(submitted.text))}")
        self.say(f"{self.name('anna')} writes the change for {label} and submits it: {_heading(submitted)}")
        return submitted.url

    def decide(self, username: str, address: str, outcome: str = "approve", comment: str = "") -> Answer:
        """Somebody reads a change and signs a decision on exactly what the page shows."""
        person = self.person(username)
        page = person.get(address)
        return person.fill(page, {"outcome": outcome, "comment": comment, "credential": person.password}, having="credential")

    def agree(self, username: str, address: str, comment: str) -> None:
        """Somebody approves."""
        self.decide(username, address, "approve", comment).wanted(200)
        self.say(f"{self.name(username)} approves and signs: “{comment}”")

    def deploy(self, label: str, permit: str) -> None:
        """The pipeline rolls out, and tells that it did."""
        body = {"model": MODEL, "version": label, "permit": permit} | PLACE
        made = self.pipeline.post("deployments/", body).wanted(201).json
        self.say(f"The pipeline rolls {label} out and records it: running since {made['started_at'][:16].replace('T', ' ')} UTC")

    def change_of(self, address: str) -> dict[str, Any]:
        """The change behind a page, as the API gives it."""
        found: dict[str, Any] = self.program("anna").get(f"changes/{address.rstrip('/').rsplit('/', 1)[-1]}/").wanted(200).json
        return found

    def wait_for(self, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The report once it is ready; raises Unexpected when it fails or takes too long."""
        end = time.monotonic() + REPORT_PATIENCE
        while time.monotonic() < end:
            found = look()
            if found["status"] == "ready":
                return found
            if found["status"] in ("failed", "cancelled"):
                raise Unexpected(f"The report could not be made: {found['problem']}")
            time.sleep(1)
        raise Unexpected(f"The report was not ready after {REPORT_PATIENCE} seconds. Is the worker running?")

    def check(self, file: Path, trust: Path, wanted: int, words: str) -> None:
        """Run the verifier on a file: no portal, no database."""
        command = [sys.executable, "-m", "governance.audits.verify_cli", str(file), "--trust", str(trust)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
        self.say(f"{words}: {last}")
        expect(done.returncode == wanted, f"The verifier ended with {done.returncode}, not {wanted}:\n{done.stdout}")

    def taken(self) -> bool:
        """Whether somebody took the tour in this example before."""
        return bool(self.pipeline.get("versions/", model=MODEL, label="1.1.0").wanted(200).json["results"])


def expect(held: bool, otherwise: str) -> None:
    """Stop the tour with this sentence unless it held."""
    if not held:
        raise Unexpected(otherwise)


def moved(text: bytes, delta: timedelta) -> bytes:
    """A time of Alertmanager's, moved, with the same digits of a second."""
    at = datetime.fromisoformat(text.decode().replace("Z", "+00:00")) + delta
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z".encode()


def check_permit(permit: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims of a permit whose signature holds under one of these public keys; raises Unexpected."""
    head, claims, signature = permit.split(".")

    def decoded(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    wanted = json.loads(decoded(head))["kid"]
    key = next((each for each in keys["keys"] if each["kid"] == wanted), None)
    expect(key is not None, "The permit names a key that the portal does not publish.")
    assert key is not None
    try:
        Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signature), f"{head}.{claims}".encode())
    except InvalidSignature as error:
        raise Unexpected("The signature of the permit does not hold.") from error
    found: dict[str, Any] = json.loads(decoded(claims))
    return found


def _reading(artifact: dict[str, Any]) -> str:
    readings = artifact["readings"]
    if "tests" in readings:
        tests = readings["tests"]
        return f"{tests['passed']} of {tests['total']} tests passed, {tests['skipped']} skipped, {tests['failed']} failed"
    if "metrics" in readings:
        return ", ".join(f"{name} {readings['metrics'][name]['value']}" for name in ("recall", "precision", "brier"))
    return "kept as it is"


def _who(reason: dict[str, Any]) -> str:
    return f"({reason['who']})" if reason.get("who") else ""


def _heading(page: Answer) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", str(found[1])).split()) if found else ""


def _option(page: Answer, name: str, label: str) -> str:
    """The value of the choice with this label."""
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', page.text, re.DOTALL)
    choices = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', select[0]) if select else []
    values = [str(value) for value, text in choices if text.strip() == label]
    expect(bool(values), f"{page.url} offers no {label} as {name}.")
    return values[0]
