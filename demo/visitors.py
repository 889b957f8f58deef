"""Two ways into a running portal with nothing but the standard library: a program with a token, and a person with a browser's habits."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

TIMEOUT = 60  # seconds
VOID = ("br", "hr", "img", "input", "link", "meta")  # tags that never end


class Unreachable(Exception):
    """The portal does not answer."""


class Unexpected(Exception):
    """The portal answered something else than the tour expects; the text says what."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    url: str
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a document."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def wanted(self, *statuses: int) -> Answer:
        """This answer, if its status is one of these; raises Unexpected with what the portal said."""
        if self.status not in statuses:
            raise Unexpected(f"{self.url} answered {self.status}: {self._said()}")
        return self

    def _said(self) -> str:
        try:
            problem = self.json
            return " ".join(str(problem[key]) for key in ("title", "detail", "remedy", "errors") if problem.get(key))
        except (ValueError, AttributeError, TypeError):
            return " ".join(problems_of(self.text)) or self.text[:300]


def send(opener: OpenerDirector, url: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str]) -> Answer:
    """Any answer of the portal, also a refusal; raises Unreachable without one, or for what is no web address."""
    if not url.startswith(("http://", "https://")):
        raise Unreachable(f"{url} is no web address")
    request = Request(url, data=body, headers=headers, method=method)  # noqa: S310 - the scheme was just checked
    try:
        response: HTTPResponse = opener.open(request, timeout=TIMEOUT)
        with response:
            return Answer(response.status, response.url, response.read())
    except HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, request.full_url, refusal.read())
    except (URLError, OSError) as error:
        raise Unreachable(f"{request.full_url} does not answer: {error}") from error


@dataclass(frozen=True)
class Program:
    """A service that talks to the API with an access token."""

    base: str
    token: str

    def get(self, path: str, **query: str) -> Answer:
        """Read something."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, "")

    def post(self, path: str, document: Any, *, raw: bytes | None = None) -> Answer:
        """Send a JSON document, or these very bytes."""
        body = raw if raw is not None else json.dumps(document).encode()
        return self._send("POST", path, body, "application/json")

    def attach(self, path: str, fields: dict[str, str], name: str, data: bytes) -> Answer:
        """Send a file with fields beside it."""
        boundary = secrets.token_hex(16)
        start = f"--{boundary}\r\nContent-Disposition: form-data; name="
        parts = [f'{start}"{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
        head = f'{start}"file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        body = b"".join([*parts, head.encode(), data, f"\r\n--{boundary}--\r\n".encode()])
        return self._send("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def _send(self, method: str, path: str, body: bytes | None, media: str) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"} | ({"Content-Type": media} if media else {})
        return send(build_opener(), f"{self.base}/api/v1/{path}", method=method, body=body, headers=headers)


@dataclass
class Form:
    """A form as it was drawn: where it goes, and what its fields held."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.found.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        if not self.found:
            return
        fields = self.found[-1].fields
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            fields[name] = given.get("value", "")
        elif tag == "textarea" and name:
            self._area, fields[name] = name, ""
        elif tag == "select" and name:
            self._select = name
            fields.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            fields[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1].fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            fields = self.found[-1].fields
            fields[self._area] = fields[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""


class _Problems(HTMLParser):
    """Finds what a page says has gone wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.said = 0, [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.depth or given.get("role") == "alert" or "errorlist" in (given.get("class") or ""):
            self.depth += tag not in VOID

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """It holds nothing."""

    def handle_endtag(self, tag: str) -> None:
        self.depth = max(0, self.depth - 1)
        if not self.depth and self.said[-1]:
            self.said.append("")

    def handle_data(self, data: str) -> None:
        if self.depth and data.strip():
            self.said[-1] = f"{self.said[-1]} {' '.join(data.split())}".strip()


def problems_of(page: str) -> list[str]:
    """What a page says has gone wrong, each once."""
    parser = _Problems()
    parser.feed(page)
    return list(dict.fromkeys(filter(None, parser.said)))


class Person:
    """Somebody at a browser: keeps cookies, sends forms as they were drawn, and signs with their password."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base, self.username, self.password = base, username, password
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def sign_in(self) -> None:
        """Log in; raises Unexpected when the portal does not let them."""
        page = self.get("/accounts/login/")
        answer = self.fill(page, {"login": self.username, "password": self.password}, having="password")
        if "/accounts/login" in answer.url:
            raise Unexpected(f"{self.username} could not sign in: {' '.join(problems_of(answer.text))}")

    def get(self, path: str) -> Answer:
        """Open a page."""
        return send(self.opener, urljoin(self.base, path), headers={"Accept": "text/html"}).wanted(200)

    def fill(self, page: Answer, values: dict[str, str], *, having: str = "", to: str = "") -> Answer:
        """Send the form that has this field, or goes to this address (without either: the page's own form), with these values
        in place of what it held."""
        parser = _Forms()
        parser.feed(page.text)
        if having:
            fitting = [form for form in parser.found if having in form.fields]
        else:
            fitting = [form for form in parser.found if form.method == "post" and (form.action.endswith(to) if to else not form.action)]
        if not fitting:
            raise Unexpected(f"{page.url} offers {self.username} no form {f'with {having}' if having else f'to {to}'}.")
        form = fitting[0]
        unknown = [name for name in values if name not in form.fields and name != "outcome"]
        if unknown:
            raise Unexpected(f"The form on {page.url} has no field {unknown[0]}.")
        body = urlencode(form.fields | values).encode()
        target = urljoin(page.url, form.action or page.url)
        # Browsers name the page they come from; over https Django asks for it.
        return send(self.opener, target, method="POST", body=body, headers={"Referer": page.url, "Accept": "text/html"})
