# SPDX-License-Identifier: MIT
"""Runs in MicroPython. Reads cases as JSON lines from standard input, {"room", "call", "args"}; answers one line each.

A case is a function of cases_<room>.py beside this file. Arguments and results are JSON values (bytes as hex). An
answer line starts with "=": {"ok": value} or {"error": name, "message": text, "trace": text}. Other lines are output.
"""

import io
import json
import sys


def run(request):
    """Run one case and return its answer."""
    try:
        cases = __import__("cases_" + request["room"])
        return {"ok": getattr(cases, request["call"])(*request["args"])}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # PowerCut is a BaseException too
        trace = io.StringIO()
        sys.print_exception(error, trace)
        return {"error": type(error).__name__, "message": str(error), "trace": trace.getvalue()}


def main():
    """Serve until end of input."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print("=" + json.dumps(run(json.loads(line))))


main()
