# SPDX-License-Identifier: MIT
"""What people do on the pages: log in and out, clear a quarantine, block a terminal, and change users."""

from starlette.responses import Response

from tools.host.errors import HostError
from tools.host.page import sessions, users, views
from tools.host.page.viewer import MERCHANT, ROLES
from tools.host.page.visit import Visit
from tools.host.transactions import clear_terminal, terminals

_LONGEST = 200  # characters of a reason


def login_page(visit: Visit) -> Response:
    return visit.page("login.html", trouble="", wait=0, mid="", name="", ended=bool(visit.word("ended")))


def log_in(visit: Visit) -> Response:
    form = visit.form
    mid, name = form.get("merchant", "").strip(), form.get("name", "").strip()
    trouble, wait, status = "wrong", 0, 401
    try:
        cookie = sessions.log_in(visit.site.ledger, mid, name, form.get("password", ""), visit.address)
        if cookie:
            if visit.cookie:
                sessions.log_out(visit.site.ledger, visit.cookie)
            return visit.log_in(cookie)
    except sessions.TooManyFailures as failure:
        trouble, wait, status = "too_many", failure.wait, 429
    return visit.page("login.html", status, trouble=trouble, wait=wait, mid=mid[:15], name=name[:40], ended=False)


def log_out(visit: Visit) -> Response:
    sessions.log_out(visit.site.ledger, visit.cookie)
    return visit.log_out()


def clear(visit: Visit) -> Response:
    """Clear a quarantine. If records would be lost with it, the page says which, and asks for their exact number."""
    tid, count = visit.request.path_params["tid"], visit.form.get("write_off", "")
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else None
    try:
        with visit.site.ledger.write() as db:  # also if it is refused: the terminal may be asked for records
            report = clear_terminal.run(db, tid, visit.viewer.name, number)
    except HostError:
        return visit.not_found()
    return views.terminal(visit, report) if report["refused"] else visit.go(f"/terminals/{tid}?done=cleared")


def block(visit: Visit) -> Response:
    """Block a terminal with a reason, or unblock it."""
    tid, why = visit.request.path_params["tid"], visit.form.get("reason", "").strip()[:_LONGEST]
    with visit.site.ledger.write() as db:
        by = visit.viewer.name
        found = terminals.block(db, tid, why, by) if why else terminals.unblock(db, tid, by)
    if not found:
        return visit.not_found()
    return visit.go(f"/terminals/{tid}?done={'blocked_now' if why else 'unblocked_now'}")


def user_list(visit: Visit) -> Response:
    return _users(visit, "", visit.word("done"))


def add_user(visit: Visit) -> Response:
    form = visit.form
    try:
        with visit.site.ledger.write() as db:
            mid, name, role = form.get("merchant", "").strip(), form.get("name", "").strip(), form.get("role", "")
            users.add(db, mid if role == MERCHANT else "", name, role, form.get("password", ""), visit.viewer.name)
    except HostError as error:
        return _users(visit, str(error), "")
    return visit.go("/users?done=users_added")


def remove_user(visit: Visit) -> Response:
    mid, name = visit.form.get("merchant", ""), visit.form.get("name", "")
    try:
        with visit.site.ledger.write() as db:
            if (mid, name) == (visit.viewer.mid, visit.viewer.name):
                return visit.go("/users")  # nobody locks themselves out
            users.remove(db, mid, name, visit.viewer.name)
    except HostError as error:
        return _users(visit, str(error), "")
    return visit.go("/users?done=users_removed")


def _users(visit: Visit, trouble: str, done: str) -> Response:
    with visit.site.ledger.read() as db:
        rows = users.everyone(db)
    return visit.page("users.html", 400 if trouble else 200, rows=rows, roles=ROLES, trouble=trouble, done=done)
