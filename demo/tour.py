"""Takes the main job through the running portal as several people: `./concordat tour`. Talks HTTP only, and says what it sees.

Exits 0 when everything went as it should, 1 with a sentence at the first thing that did not.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.data import TUMOUR_RISK
from demo.guide import MODEL, ROOT, Guide, check_permit, expect, moved
from demo.visitors import Program, Unexpected, Unreachable, problems_of

MADE_AT = re.compile(rb"2026-11-22T[0-9:.]+Z")
CHANGE = {
    "kind": "deployment",
    "title": "A freer model that misses fewer cases",
    "rationale": "1.0.0 missed seven of 64 malignant cases in the test, 1.1.0 misses two.",
    "observed_shifts": "None between the training and the test rows.",
    "policy_considerations": "High risk under the EU AI Act: dossier, oversight and monitoring are in place.",
    "ethical_considerations": "Fewer missed cases, at the price of coefficients that can no longer be read one by one.",
    "tradeoffs": "Two false alarms in the test where 1.0.0 had none",
    "testing_protocol": "Eight model tests\nRecall of the smaller half of the tumours",
    "rollout_plan": "One hospital for a week, then all of them.",
    "rollback_trigger": "Recall below 0.85 on 50 confirmed cases, or drift above 0.4",
    "rollback_criteria": "recall below 0.85",
    "rollback_steps": "Put 1.0.0 back with its own permit.",
    "release_notes": "Gradient boosting instead of logistic regression.",
    "watch_days": "14",
}


class Tour(Guide):
    """The four chapters."""

    def first(self) -> None:
        """1.1.0 becomes better evidence, a change, three signatures, a permit, and a deployment."""
        self.bring("1.1.0")
        expect(self.gate("1.1.0")["verdict"] == "deny", "Nobody has approved 1.1.0, so the gate must not say yes.")
        model = self.pipeline.get("models/", slug=MODEL).wanted(200).json["results"][0]["id"]
        self.write_dossier(model)
        address = self.propose(model, "1.1.0", CHANGE)
        refused = self.program("tomasz").post(f"changes/{address.rstrip('/').rsplit('/', 1)[-1]}/decide/", {})
        expect(refused.status == 403, "An access token signed a decision.")
        self.say(f"A program with {self.name('tomasz')}'s token tries to approve: refused, a signature needs a person")
        self.agree("tomasz", address, "Reproduced the training run; the digests agree.")
        self.agree("victor", address, "Two of 64 missed instead of seven. The intervals still overlap, so watch it.")
        self.agree("ruth", address, "The promise is the lower end, 0.92. Agreed, with two weeks of watching.")
        status = self.change_of(address)["status"]
        expect(status == "approved", f"After three approvals the change is {status}.")
        answer = self.gate("1.1.0")
        expect(answer["verdict"] == "allow" and bool(answer["permit"]), "The gate does not allow what was approved.")
        claims = check_permit(answer["permit"], self.pipeline.get("gate/key/").wanted(200).json)
        self.say(f"The permit holds by the public key alone: {claims['change']}, {MODEL} {claims['version']}, {claims['region']}")
        self.deploy("1.1.0", answer["permit"])

    def write_dossier(self, model: str) -> None:
        """Anna brings the model card up to date."""
        anna = self.person("anna")
        page = anna.get(f"/models/{model}/dossier/")
        known = "Only 5 of 64 malignant test cases lie below the median size. Single coefficients cannot be read any more."
        saved = anna.fill(page, {"limits.known": known, "reason": "Limits of the new kind of model"}, having="reason").wanted(200)
        expect(not problems_of(saved.text), f"The dossier was not saved: {' '.join(problems_of(saved.text))}")
        self.say(f"{self.name('anna')} brings the model card up to date: the limits of the new kind of model")

    def second(self) -> None:
        """1.2.0 is worse: nobody can approve it, and everybody is told why."""
        self.bring("1.2.0")
        model = self.pipeline.get("models/", slug=MODEL).wanted(200).json["results"][0]["id"]
        worse = CHANGE | {
            "kind": "retraining",
            "title": "Retrained on large tumours only",
            "rationale": "Tumours in production are larger than in the training rows.",
            "tradeoffs": "Fourteen false alarms in the test instead of two",
            "rollback_steps": "Put 1.1.0 back with its own permit.",
            "release_notes": "Trained on the largest 40 % of the tumours.",
        }
        address = self.propose(model, "1.2.0", worse)
        page = self.decide("tomasz", address, "approve", "Looks fine to me.")
        expect(page.status == 422, "A version that breaks blocking rules could be approved.")
        self.say(f"{self.name('tomasz')} tries to approve it and is refused:")
        for problem in problems_of(page.text)[:4]:
            self.add(problem)
        expect(self.gate("1.2.0")["verdict"] == "deny", "The gate allows a version that nobody approved.")
        self.decide("tomasz", address, "reject", "One test fails and the Brier score is four times that of 1.1.0.").wanted(200)
        status = self.change_of(address)["status"]
        expect(status == "rejected", f"After a rejection the change is {status}.")
        self.say(f"{self.name('tomasz')} rejects it and signs why")

    def third(self) -> None:
        """Drift is reported, the right person is called, and 1.0.0 is back the same hour."""
        delta = datetime.now(UTC) - timedelta(minutes=6) - datetime(2026, 11, 22, 2, 42, 18, tzinfo=UTC)
        sent = (
            ("firing-one", 1, 0, "one alert about latency"),
            ("firing-grouped", 3, 0, "three alerts about drift in one group"),
            ("repeat-grouped", 0, 3, "the same group again, byte for byte: nothing new"),
            ("firing-one-of-three-resolved", 1, 2, "the group again, in which one alert has ended"),
        )
        for file, accepted, duplicates, words in sent:
            self.notify(file, delta, accepted, duplicates, words)
        otto = self.program("otto")
        alerts = [each for each in otto.get("alerts/", model=MODEL, status="open").wanted(200).json["results"] if each["level"] == "act"]
        expect(len(alerts) == 2, f"Two act alerts should be open, there are {len(alerts)}.")
        self.say(f"{self.name('otto')} is called. {alerts[0]['title']}")
        for alert in alerts:
            person = self.person("otto")
            page = person.get(f"/alerts/{alert['id']}/")
            person.fill(page, {}, to="/acknowledge/").wanted(200)
            expect(otto.get(f"alerts/{alert['id']}/").wanted(200).json["status"] == "acknowledged", "The alert was not acknowledged.")
        self.add("He acknowledges both alerts on their pages; nobody else is called.")
        self.go_back(otto)
        self.notify("resolved-grouped", delta, 2, 0, "both drift alerts have ended")
        self.notify("resolved-one", delta, 1, 0, "latency is normal again")
        left = otto.get("alerts/", model=MODEL, status="open").wanted(200).json["results"]
        expect(not left, f"{len(left)} alerts are still open.")

    def go_back(self, otto: Program) -> None:
        """The way back was drafted by the alert; Otto submits it, Ruth agrees, the pipeline carries it out."""
        drafts = otto.get("changes/", model=MODEL, kind="rollback", status="draft").wanted(200).json["results"]
        expect(len(drafts) == 1, f"One rollback should have been drafted, there are {len(drafts)}.")
        address = f"/changes/{drafts[0]['id']}/"
        person = self.person("otto")
        person.fill(person.get(address), {}, to="/submit/").wanted(200)
        self.say(f"The alert has drafted {drafts[0]['reference']}, {drafts[0]['title']}; {self.name('otto')} submits it")
        self.agree("ruth", address, "Go back now; why the tumours are larger can be found out afterwards.")
        answer = self.gate("1.0.0")
        expect(answer["verdict"] == "allow", "The gate does not allow the way back.")
        self.deploy("1.0.0", answer["permit"])

    def notify(self, file: str, delta: timedelta, accepted: int, duplicates: int, words: str) -> None:
        """Alertmanager posts one of its real bodies, its times moved to today."""
        body = (TUMOUR_RISK / "alertmanager" / f"{file}.json").read_bytes()
        receipt = (
            self.pipeline.post("inbound/alertmanager/", None, raw=MADE_AT.sub(lambda found: moved(found[0], delta), body)).wanted(202).json
        )
        self.say(f"Alertmanager posts {words}: {receipt['accepted']} new, {receipt['duplicates']} known")
        got = (receipt["accepted"], receipt["duplicates"], receipt["quarantined"])
        expect(got == (accepted, duplicates, 0), f"{file} gave {got} (new, known, quarantined).")

    def fourth(self) -> None:
        """Clara asks for the audit report, and checks it without the portal."""
        clara, program = self.person("clara"), self.program("clara")
        model = program.get("models/", slug=MODEL).wanted(200).json["results"][0]["id"]
        page = clara.get(f"/models/{model}/report/")
        asked = clara.fill(page, {})
        if "/reports/" not in asked.url:
            raise Unexpected(f"No report was begun: {' '.join(problems_of(asked.text))}")
        self.say(f"{self.name('clara')} asks for the audit report of {MODEL}")
        report = asked.url.rstrip("/").rsplit("/", 1)[-1]
        made = self.wait_for(lambda: program.get(f"reports/{report}/").wanted(200).json)
        data = clara.get(f"/reports/{report}/file/").body
        target = self.folder / "tour" / f"audit-{MODEL}.pdf"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
        self.say(f"The report is ready: {made['rows']} rows with their proofs, {len(data) // 1024} KiB, {target}")
        trust = target.with_name("trust.json")
        environment = os.environ | {"JOURNAL_ORIGIN": os.environ.get("JOURNAL_ORIGIN", "example.concordat.invalid")}
        trust.write_bytes(
            subprocess.run([sys.executable, "manage.py", "trust"], cwd=ROOT, env=environment, check=True, capture_output=True).stdout
        )
        self.check(target, trust, 0, "Offline, with the keys handed over by another way")
        forged = target.with_name("forged.pdf")
        place = len(data) // 2
        forged.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        self.check(forged, trust, 1, "The same file with one bit changed")


def main() -> int:
    """Take the tour; gives the exit status."""
    folder = Path(os.environ.get("VAR") or ROOT / "var").resolve()
    if not (folder / "demo.json").exists():
        print("There is no worked example here. Run: ./concordat demo", file=sys.stderr)
        return 1
    port = os.environ.get("PORT", "")
    base = os.environ.get("BASE_URL", "").rstrip("/") or (f"http://127.0.0.1:{port}" if port else "")
    try:
        tour = Tour(folder, base)
        if tour.taken():
            print("The tour has been taken in this example. For another one, stop the portal, remove its data and run: ./concordat demo")
            return 0
        for chapter in (tour.first, tour.second, tour.third, tour.fourth):
            chapter()
    except Unreachable as error:
        print(f"The tour stops: {error}. Start the portal first: ./concordat demo", file=sys.stderr)
        return 1
    except Unexpected as error:
        print(f"The tour stops: {error}", file=sys.stderr)
        return 1
    print("The tour is over: everything went as it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
