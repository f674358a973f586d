# SPDX-License-Identifier: MIT
"""One request to the pages: who makes it, in which language, and what it gets."""

import datetime
import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tools.host.books.payment_file import Payer
from tools.host.page import sessions, words
from tools.host.page.queries import days, payments
from tools.host.page.queries.batches import Sums
from tools.host.page.viewer import Viewer
from tools.host.page.words import LANGUAGES, Words
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_LANGUAGE = "kassa_language"
_YEAR = 365 * 24 * 3600
_KEPT = 20.0  # seconds that sums by day are kept, so that many open pages cost no more than one
_MOST_KEPT = 64
_templates = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)
_templates.filters |= {"money": words.money, "time": words.time, "minute": words.minute}
_templates.globals |= {
    "state_of": words.state,
    "card_of": words.card,
    "signed": payments.signed,
    "worth_of": kinds.signed,
}
_templates.globals["version"] = hashlib.sha256((STATIC / "style.css").read_bytes()).hexdigest()[:12]


@dataclass
class Site:
    """What the pages stand on. `now`: local time. `hosts`: names under which they may be called, beside loopback.

    `notice`: a sentence that every page shows, by language. `payer`: whose account pays merchants.
    """

    ledger: Ledger
    now: Callable[[], datetime.datetime]
    hosts: Collection[str] = ()
    notice: Mapping[str, str] = field(default_factory=dict)
    payer: Callable[[], Payer | None] = lambda: None
    _days: dict[tuple[str, datetime.date, datetime.date], tuple[float, dict[datetime.date, Sums]]] = field(
        default_factory=dict
    )

    def by_day(self, db: Any, viewer: Viewer, first: datetime.date, last: datetime.date) -> dict[datetime.date, Sums]:
        """See days.by_day; kept for some seconds."""
        key, at = (viewer.mid, first, last), time.monotonic()
        kept = self._days.get(key)
        if kept is None or at - kept[0] > _KEPT:
            if len(self._days) >= _MOST_KEPT:
                self._days.clear()
            kept = self._days[key] = at, days.by_day(db, viewer, first, last)
        return kept[1]


class Visit:
    """A request with everything a view needs. `form`: the fields of a POST."""

    def __init__(self, site: Site, request: Request, form: Mapping[str, str]) -> None:
        self.site = site
        self.request = request
        self.form = form
        self.viewer = Viewer("", "", "")
        self.asked = request.query_params.get("lang", "")
        known = [self.asked, request.cookies.get(_LANGUAGE, ""), _preferred(request.headers.get("accept-language", ""))]
        self.say = Words(next((one for one in known if one in LANGUAGES), "en"))

    @property
    def is_safe(self) -> bool:
        """Whether cookies may be kept to encrypted lines: always, but for a browser on the host's own machine."""
        name = (self.request.url.hostname or "").lower()
        return self.request.url.scheme == "https" or name not in ("127.0.0.1", "localhost", "::1")

    @property
    def cookie_name(self) -> str:
        return "__Host-kassa" if self.is_safe else "kassa"

    @property
    def cookie(self) -> str:
        """The session's cookie; "" if there is none."""
        return self.request.cookies.get(self.cookie_name, "")

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else "unknown"

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a template."""
        languages = [(code, texts["language"], self.with_query(lang=code)) for code, texts in LANGUAGES.items()]
        html = _templates.get_template(template).render(
            say=self.say,
            viewer=self.viewer,
            languages=languages,
            path=self.request.url.path,
            notice=self.site.notice.get(self.say.language, ""),
            form_token=sessions.form_token(self.cookie),
            with_query=self.with_query,
            **values,
        )
        response = HTMLResponse(html, status)
        if self.asked in LANGUAGES:
            options: dict[str, Any] = {"secure": self.is_safe, "httponly": True, "samesite": "strict"}
            response.set_cookie(_LANGUAGE, self.asked, _YEAR, **options)
        return response

    def go(self, path: str) -> Response:
        """Send the browser to another page."""
        return RedirectResponse(path, 303)

    def not_found(self) -> Response:
        return self.page("message.html", 404, what="not_found")

    def with_query(self, **changes: str | int | None) -> str:
        """This page's address with other parameters. None removes one."""
        kept = {name: value for name, value in self.request.query_params.items() if name not in (*changes, "lang")}
        new = {name: str(value) for name, value in changes.items() if value is not None}
        url = self.request.url.replace(query="").include_query_params(**kept, **new)
        return url.path + (f"?{url.query}" if url.query else "")

    def whole(self, name: str) -> int | None:
        """A parameter that is a whole number, or None."""
        text = self.request.query_params.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    def word(self, name: str, most: int = 40) -> str:
        """A parameter's text, without blanks around it."""
        return self.request.query_params.get(name, "").strip()[:most]

    def date(self, name: str) -> datetime.date | None:
        """A parameter that is a day, or None."""
        try:
            found = datetime.date.fromisoformat(self.word(name))
        except ValueError:
            return None
        return found if 2000 <= found.year < 2100 else None

    def log_in(self, cookie: str) -> Response:
        """Send the browser to the first page, with the session's cookie."""
        response = self.go("/")
        response.set_cookie(
            self.cookie_name, cookie, secure=self.is_safe, httponly=True, samesite="strict", max_age=sessions.LONGEST
        )
        return response

    def log_out(self) -> Response:
        response = self.go("/login")
        response.delete_cookie(self.cookie_name, secure=self.is_safe, httponly=True, samesite="strict")
        return response


def _preferred(header: str) -> str:
    """The first language of Accept-Language that there is."""
    for part in header.split(","):
        code = part.strip().split(";")[0].split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return ""
