# SPDX-License-Identifier: MIT
"""Has a host do an operator's work: the running one, over HTTP on its page's port; or here, if none runs."""

import asyncio
import datetime
import http.client
import json
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from tools.host.app import Host
from tools.host.errors import OperatorError
from tools.host.folder_lock import Taken, claim
from tools.host.operations.operator_work import FILE, busy
from tools.host.outside import gateway
from tools.host.store import host_folder, open_ledger

_WAIT = 600.0  # seconds


def ask(home: Path, what: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Have the host of `home` do one of WORKS, whether it runs or not. Returns the report. Raises HostError."""
    report = _ask_running(home, what, wanted)
    if report is not None:
        return report
    host_folder.check(home)
    try:
        with claim(home):
            ledger = open_ledger.open_existing(home)
            host = Host(home, *gateway.find(home, ledger, datetime.datetime.now), ledger=ledger)
            try:
                return asyncio.run(host.operator.do(what, wanted))
            finally:
                host.stop()
    except OperationalError as error:
        raise busy(error) from None
    except (Taken, OSError) as error:
        raise OperatorError(str(error)) from None


def _ask_running(home: Path, what: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The report of the running host; None if none runs. Raises OperatorError."""
    try:
        door = json.loads((home / FILE).read_text())
        line = http.client.HTTPConnection(door["address"], door["port"], timeout=_WAIT)
        line.connect()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{FILE}: {error}") from None
    try:
        head = {"Authorization": f"Bearer {door['token']}", "Content-Type": "application/json"}
        line.request("POST", f"/api/operator/{what}", json.dumps(wanted), head)
        answer = line.getresponse()
        said = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OperatorError(f"the host did not answer ({error}): ask again, nothing is done twice") from None
    finally:
        line.close()
    if answer.status != 200:
        raise OperatorError(str(said.get("error", answer.status)) if isinstance(said, dict) else str(answer.status))
    return said
