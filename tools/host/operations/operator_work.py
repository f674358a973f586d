# SPDX-License-Identifier: MIT
"""What an operator may have a host do. Only who may read the host's folder may: the running host keeps a new token there."""

import base64
import json
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.host.errors import HostError, OperatorError
from tools.host.keys.key_store import KeyStore
from tools.host.operations import closing, hand_in
from tools.host.operations.hand_in_checks import MARKS, Wishes
from tools.host.transactions import clear_terminal
from tools.host.transactions.service import Service

FILE = "operator.json"  # in the host's folder: address, port and token of the running host
WORKS = ("hand-in", "close-batch", "clear")
_LARGEST = 16 << 20  # bytes of a request: the records of a journal of 8 MiB
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

Work = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


def busy(error: OperationalError) -> OperatorError:
    """What the database said, in words for an operator."""
    said = str(error.orig)
    if "locked" in said or "busy" in said:
        return OperatorError("the database is in use by another program: nothing was done; try again")
    return OperatorError(f"the database cannot be used: {said}")


class Operator:
    """Carries out an operator's requests, one at a time. Call it from the service's event loop."""

    def __init__(self, service: Service, keys: KeyStore) -> None:
        self._service = service
        self._keys = keys
        self._working = False

    async def do(self, what: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Do one of WORKS and return its report. Raises OperatorError."""
        if self._working:
            raise OperatorError("another request is being carried out: try again")
        self._working = True
        try:
            if what == "hand-in":
                return await self._hand_in(wanted)
            with self._service.ledger.write() as db:
                tid, by, despite = str(wanted["terminal"]), str(wanted["by"]), wanted.get("despite") is True
                if what == "clear":
                    hand_in.check_name(by)
                    count = wanted.get("write_off")
                    return clear_terminal.run(db, tid, by, None if count is None else int(count))
                return closing.run(db, tid, by, despite)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OperatorError(f"malformed request: {type(error).__name__}") from None
        except OperationalError as error:
            raise busy(error) from None
        finally:
            self._working = False

    async def _hand_in(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """`wanted`: by, terminal (or null), note, unread, deferred and reverse (sequences), records: [base64, mark] each."""
        rows = wanted["records"]
        if len(rows) > hand_in.MOST:
            raise OperatorError(f"{len(rows)} records: at most {hand_in.MOST} can be handed in")
        records = [(base64.b64decode(text, validate=True), str(mark)) for text, mark in rows]
        if not {mark for _, mark in records} <= {*MARKS}:
            raise OperatorError("unknown mark")
        wishes = Wishes(frozenset(map(int, wanted["deferred"])), frozenset(map(int, wanted["reverse"])))
        tid = str(wanted["terminal"]) if wanted.get("terminal") else None
        by, note, unread = str(wanted["by"]), str(wanted.get("note", "")), int(wanted.get("unread", 0))
        return await hand_in.run(self._service, self._keys, records, by, tid, wishes, note, unread)


class Door:
    """The way in for requests while a host runs. `work`: see Operator.do."""

    def __init__(self, home: Path, work: Work) -> None:
        self._path = home / FILE
        self._work = work
        self._token = secrets.token_hex(32)

    @property
    def routes(self) -> list[Route]:
        return [Route("/api/operator/{what}", self._answer, methods=["POST"])]

    def open(self, address: str, port: int) -> None:
        """Say in the host's folder where the host is, and give the token to who may read it."""
        self.close()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"address": _EVERYWHERE.get(address, address), "port": port, "token": self._token}, file)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)

    async def _answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
            return JSONResponse({"error": "not authorised"}, 401)
        what = request.path_params["what"]
        if what not in WORKS:
            return JSONResponse({"error": f"nothing is called {what}"}, 404)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST:
                return JSONResponse({"error": "too large"}, 413)
        try:
            return JSONResponse(await self._work(what, json.loads(body)))
        except RecursionError:
            return JSONResponse({"error": "nested too deeply"}, 400)
        except (HostError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
