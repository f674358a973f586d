# SPDX-License-Identifier: MIT
"""The web application of the pages. Views run in threads, few at a time, so that payments are never kept waiting."""

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.host.page import deeds, export, money_views, sessions, terminal_views, views
from tools.host.page.guard import Guard
from tools.host.page.queries import payments
from tools.host.page.viewer import Viewer
from tools.host.page.visit import STATIC, Site, Visit

_log = logging.getLogger("kassa.host")
_READERS, _PASSWORDS, _EXPORTS = 3, 1, 2  # at a time
_FIELDS = 50  # of a form

View = Callable[[Visit], Response]
Right = Callable[[Viewer], bool]


def application(site: Site, more: Sequence[Route] = ()) -> ASGIApp:
    """The pages. `more`: routes of others, under /api/; they look after who may use them."""
    desk = _Desk(site)

    def read(path: str, view: View, right: Right = _anybody) -> Route:
        return Route(path, desk.endpoint(view, right), methods=["GET"])

    def file(path: str, view: View, right: Right = _anybody) -> Route:
        return Route(path, desk.endpoint(view, right, is_file=True), methods=["GET"])

    def write(path: str, view: View, right: Right = _anybody) -> Route:
        return Route(path, desk.endpoint(view, right), methods=["POST"])

    routes = [
        Route("/login", desk.open(deeds.login_page), methods=["GET"]),
        Route("/login", desk.open(deeds.log_in), methods=["POST"]),
        write("/logout", deeds.log_out),
        read("/", views.overview),
        read("/payments", views.payment_list),
        Route("/payments.csv", desk.export, methods=["GET"]),
        read("/payments/{tid}/{uid}", views.payment),
        read("/batches", views.batch_list),
        read("/batches/{tid}/{epoch:int}/{number}", views.batch),
        read("/terminals", views.terminal_list),
        read("/terminals/{tid}", views.terminal),
        write("/terminals/{tid}/clear", deeds.clear, _may_work),
        write("/terminals/{tid}/block", deeds.block, _may_rule),
        read("/terminals/{tid}/staff", terminal_views.staff_page),
        read("/terminals/{tid}/held/{uid}", terminal_views.held),
        write("/terminals/{tid}/held/{uid}", terminal_views.decide, _may_work),
        read("/terminals/{tid}/hand-ins/{number:int}", terminal_views.hand_in),
        read("/settlements", money_views.settlement_list),
        read("/settlements/{mid}/{day}", money_views.settlement),
        file("/settlements/{mid}/{day}/settlement.csv", money_views.settlement_file),
        file("/settlements/{mid}/{day}/payout.xml", money_views.payout_file, _may_work),
        read("/differences", money_views.difference_list),
        read("/differences.csv", money_views.difference_file),
        read("/differences/one", money_views.one_difference),
        write("/differences/one", money_views.explain, _may_work),
        read("/disputes", money_views.dispute_list),
        read("/days", views.day_list),
        read("/books", views.books),
        read("/audit", views.audit_list, _may_read_audit),
        read("/users", deeds.user_list, _may_rule),
        write("/users", deeds.add_user, _may_rule),
        write("/users/remove", deeds.remove_user, _may_rule),
        *more,
        Mount("/static", _kept(StaticFiles(directory=STATIC))),
        Route("/{path:path}", desk.lost, methods=["GET"]),
    ]
    inner = Starlette(routes=routes, exception_handlers={SQLAlchemyError: _database_fault})
    return Guard(inner, site.hosts)


class _Desk:
    """Calls views: finds out who asks, and whether they may."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._readers, self._passwords = CapacityLimiter(_READERS), CapacityLimiter(_PASSWORDS)
        self._files = CapacityLimiter(_EXPORTS)
        self._exports = 0

    def endpoint(self, view: View, right: Right, is_file: bool = False) -> Callable:
        """A view for who is logged in and has a right. POST needs the token of the session's forms.

        `is_file`: it makes a whole file, so fewer of them run at a time.
        """

        async def answer(request: Request) -> Response:
            form = await _form(request)
            limiter = self._files if is_file else self._readers
            return await to_thread.run_sync(self._work, view, right, request, form, limiter=limiter)

        return answer

    def open(self, view: View) -> Callable:
        """A view for everybody."""

        async def answer(request: Request) -> Response:
            visit = Visit(self._site, request, await _form(request))
            return await to_thread.run_sync(view, visit, limiter=self._passwords)

        return answer

    async def lost(self, request: Request) -> Response:
        """Nothing is at this address, whoever asks."""
        visit = Visit(self._site, request, {})
        await to_thread.run_sync(self._refusal, visit, _anybody, limiter=self._readers)  # finds the viewer, if any
        return visit.not_found()

    async def export(self, request: Request) -> Response:
        """The payments that the list would show, all of them, as CSV."""
        visit = Visit(self._site, request, {})
        refusal = await to_thread.run_sync(self._refusal, visit, _anybody, limiter=self._readers)
        if refusal:
            return refusal
        if self._exports >= _EXPORTS:
            return visit.page("message.html", 503, what="busy")
        headers = {"Content-Disposition": 'attachment; filename="payments.csv"'}
        return StreamingResponse(self._lines(visit), media_type="text/csv; charset=utf-8", headers=headers)

    async def _lines(self, visit: Visit) -> AsyncIterator[str]:
        self._exports += 1
        try:
            parts = payments.every(self._site.ledger.read, visit.viewer, views.wanted_of(visit))
            yield export.BOM + export.header(visit.say)
            while (rows := await to_thread.run_sync(next, parts, None, limiter=self._readers)) is not None:
                yield export.lines(visit.say, rows)
        finally:
            self._exports -= 1

    def _work(self, view: View, right: Right, request: Request, form: dict[str, str]) -> Response:
        visit = Visit(self._site, request, form)
        return self._refusal(visit, right) or view(visit)

    def _refusal(self, visit: Visit, right: Right) -> Response | None:
        """Find the viewer. Returns what they get instead of the page, or None if they may see it."""
        cookie = visit.cookie
        with self._site.ledger.read() as db:
            found = sessions.look(db, cookie) if cookie else None
        if found is None:
            return visit.go("/login?ended=1" if cookie else "/login")
        visit.viewer, used = found
        sessions.keep(self._site.ledger, cookie, used)
        if visit.request.method == "POST":
            given = visit.form.get("form_token", "").encode()
            if not secrets.compare_digest(given, sessions.form_token(cookie).encode()):
                return visit.page("message.html", 403, what="form_old")
        return None if right(visit.viewer) else visit.page("message.html", 403, what="not_allowed")


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; {} if the body is none."""
    if request.method != "POST":
        return {}
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        return {}


def _kept(files: ASGIApp) -> ASGIApp:
    """Static files are kept by browsers: their addresses change with their content."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = "public, max-age=31536000, immutable"
            await send(message)

        await files(scope, receive, keep)

    return app


async def _database_fault(_: Request, fault: Exception) -> Response:
    _log.error("page: database: %s", type(fault).__name__)
    return PlainTextResponse("the database does not answer", 503)


def _anybody(_: Viewer) -> bool:
    return True


def _may_read_audit(viewer: Viewer) -> bool:
    return viewer.may_read_audit


def _may_work(viewer: Viewer) -> bool:
    return viewer.may_work


def _may_rule(viewer: Viewer) -> bool:
    return viewer.may_rule
