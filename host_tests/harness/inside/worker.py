# SPDX-License-Identifier: MIT
"""Runs in MicroPython: takes cases as JSON lines on standard input, {"room", "call", "args"}; answers one line each.

A case is a function of cases_<room>.py beside this file; it gets and returns what JSON can carry (bytes as hex). An
answer line starts with "=": {"ok": value} or {"error": name, "message": text, "trace": text}. Other lines are prints.
"""

import io
import json
import sys


def run(request):
    """One case."""
    try:
        cases = __import__("cases_" + request["room"])
        return {"ok": getattr(cases, request["call"])(*request["args"])}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a power cut in a case is one too
        trace = io.StringIO()
        sys.print_exception(error, trace)
        return {"error": type(error).__name__, "message": str(error), "trace": trace.getvalue()}


def main():
    """Serve until standard input ends."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print("=" + json.dumps(run(json.loads(line))))


main()
