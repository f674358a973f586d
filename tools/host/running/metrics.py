# SPDX-License-Identifier: MIT
"""What Prometheus may read of a host, and whether it is alive and ready: /metrics, /healthz, /readyz."""

import asyncio
import datetime
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tools.host.network.listener import Listener
from tools.host.store.ledger import Ledger

_DATABASE = 5.0  # seconds it may take to answer
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)
_ANSWER = "answer_"  # the counters of answers: answer_0210


class Metrics:
    """One host's. `counters`: events by name, as Service counts them. `lost_lines`: log records that were dropped."""

    def __init__(self, counters: Callable[[], dict[str, int]], lost_lines: Callable[[], int] = int) -> None:
        self.registry = CollectorRegistry()
        self.took = Histogram(
            "kassa_answer_seconds", "From a group of messages to its answers", buckets=_SECONDS, registry=self.registry
        ).observe
        self._counters = counters
        self._lost_lines = lost_lines
        self._began = time.time()
        self._asking: asyncio.Future[None] | None = None
        self.stopping = False

    def watch(self, listener: Listener, ledger: Ledger) -> None:
        """Report on these from now on."""
        self._listener = listener
        self._ledger = ledger
        self.registry.register(_Live(self._collect))

    def application(self) -> Starlette:
        """The three pages."""

        async def metrics(_: Request) -> Response:
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        async def healthz(_: Request) -> Response:
            return PlainTextResponse("alive\n")

        async def readyz(_: Request) -> Response:
            problems = await self.problems()
            return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

        routes = {"/metrics": metrics, "/healthz": healthz, "/readyz": readyz}
        return Starlette(routes=[Route(path, answer) for path, answer in routes.items()])

    async def problems(self) -> list[str]:
        """Why the host cannot serve terminals now; none if it can."""
        problems = ["stopping"] if self.stopping else []
        if (
            self._asking is None or self._asking.done()
        ):  # one at a time: a database that hangs must not take all threads
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._ask_database))
        try:
            async with asyncio.timeout(_DATABASE):
                await asyncio.shield(self._asking)
        except (SQLAlchemyError, OSError) as fault:  # TimeoutError is an OSError
            problems.append(f"database: {type(fault).__name__}")
        identity, now = self._listener.identity, datetime.datetime.now(datetime.UTC)
        if identity is None:
            problems.append("certificate: none yet")
        elif not identity.begins <= now < identity.ends:
            problems.append(f"certificate: valid from {identity.begins:%Y-%m-%d} to {identity.ends:%Y-%m-%d}")
        return problems

    def _ask_database(self) -> None:
        with self._ledger.read() as db:
            db.execute(text("SELECT 1"))

    def _collect(self) -> Iterator[Metric]:
        listener, now = self._listener, datetime.datetime.now(datetime.UTC)
        counters = self._counters()
        answers = CounterMetricFamily("kassa_answers", "Answers sent, by message type", labels=["mti"])
        events = CounterMetricFamily("kassa_events", "What happened since the start, by kind", labels=["event"])
        for name, count in sorted(counters.items()):
            if name.startswith(_ANSWER):
                answers.add_metric([name.removeprefix(_ANSWER)], count)
            else:
                events.add_metric([name], count)
        refusals = CounterMetricFamily("kassa_refusals", "Connections and frames refused, by reason", labels=["reason"])
        for reason, count in sorted(listener.refusals.by_reason.items()):
            refusals.add_metric([reason], count)
        yield from (answers, events, refusals)
        yield CounterMetricFamily("kassa_log_lines_lost", "Log lines that nobody took away", self._lost_lines())
        connections = GaugeMetricFamily("kassa_connections", "Connections now", labels=["state"])
        connections.add_metric(["handshake"], listener.lines.waiting)
        connections.add_metric(["open"], listener.lines.open)
        yield connections
        yield GaugeMetricFamily("kassa_blocked_terminals", "Terminals that may not connect", len(listener.blocked))
        yield GaugeMetricFamily("kassa_start_time_seconds", "When the host started, Unix time", self._began)
        if listener.identity:
            revoked = listener.identity.revoked
            left = (listener.identity.ends - now).total_seconds()
            yield GaugeMetricFamily("kassa_certificate_seconds", "Until the host's certificate expires", left)
            yield GaugeMetricFamily("kassa_revoked_certificates", "Certificates on the CA's list", len(revoked.serials))
            if revoked.due:
                left = (revoked.due - now).total_seconds()
                yield GaugeMetricFamily("kassa_revocations_seconds", "Until a new list of the CA is due", left)


class _Live(Collector):
    """Asks for its values when it is read."""

    def __init__(self, look: Callable[[], Iterator[Metric]]) -> None:
        self._look = look

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        return self._look()
