# SPDX-License-Identifier: MIT
"""A card acquirer for tests: a TLS server that speaks a dialect's file, with books of its own and moods.

Moods, for the next message of one kind (see `plan`): `deaf`: read, nothing done, no answer; `silent`: done, no answer;
`late`: done, answered by `release`; `cut before`, `cut after`: the connection ends before or after it is done; `twice`:
two answers; `other`: answered for another STAN; `amount`, `terminal`: answered for another amount or terminal; `mac`:
with a wrong MAC; `garbage`, `length`, `half`: done, and answered with garbage, an impossible length, half a frame; `96`,
`96 after`: a fault, before or after it is done; `94`: a repeat is called a duplicate; `refuse`: refused.
`hangs`: no TLS handshake is answered; `forget`: the session key is forgotten.
"""

from __future__ import annotations

import datetime
import os
import tomllib
from collections import Counter, defaultdict, deque
from pathlib import Path
from typing import Any

from tools.sim.acquirer_books import CHANGE, CREDIT, DEBIT, NONE, Books, Card, Entry, Key
from tools.sim.acquirer_server import NAME, AcquirerServer, Cut, Session
from tools.sim.acquirer_wire import Elements, Unreadable, Wire

DIALECTS = Path(__file__).resolve().parents[1] / "host" / "acquirers" / "card" / "dialects"
_EFFECTS = {
    **dict.fromkeys(("22", "30", "20", "24"), DEBIT),
    **dict.fromkeys(("25", "23", "21"), CREDIT),
    **dict.fromkeys(("34", "32"), CHANGE),
}  # by 60.1; what is not here moves no money


class AcquirerSimulator(AcquirerServer):
    """`folder`: for its certificates. `dialect`: its name, or the path of its file.

    `heard`: how many messages of each kind came; "request again" are repeats.
    """

    def __init__(self, folder: Path, dialect: str = "cup-1987") -> None:
        super().__init__(folder)
        self.dialect_name = dialect
        file = Path(dialect) if dialect.endswith(".toml") else DIALECTS / f"{dialect}.toml"
        self._dialect: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        self.zone_key = os.urandom(16)
        self.wire = Wire(self._dialect, self.zone_key)
        self.books = Books()
        self.heard: Counter[str] = Counter()
        self._plans: dict[str, deque[str]] = defaultdict(deque)
        self._answers: dict[Key, Elements] = {}
        self._settled: dict[Key, Elements] = {}
        self._held: list[tuple[Session, bytes]] = []
        self._rrn = 0
        self._named = 90 if "90" in self._dialect["elements"] else 56
        self._time = 7 if self._named == 90 else 12

    def settings(self, **more: Any) -> dict[str, Any]:
        """[card] of acquirers.toml, for this acquirer. Times are short."""
        names = {"trust": "trust", "certificate": "certificate", "private_key": "key"}
        given = {
            "host": "127.0.0.1",
            "port": self.port,
            "name": NAME,
            "dialect": self.dialect_name,
            "member": "48020000",
        }
        times = {"answer_ms": 5000, "retry_ms": 1, "retry_longest_ms": 5}
        zone = {"zone_key": "zone"} if self.wire.has_mac else {}
        return {**given, **names, **zone, **times, **more}

    def secrets(self) -> dict[str, bytes]:
        """The secrets that `settings` names."""
        mine = {"certificate": self.client.certificate_pem, "key": self.client.key_pem}
        return {"trust": self.trust, "zone": self.zone_key.hex().encode(), **mine}

    def plan(self, mood: str, on: str = "request", times: int = 1) -> None:
        """Take a mood for the next `times` messages of a kind: request, advice, reversal, sign_on, echo, settlement."""
        self._plans[on].extend([mood] * times)

    def calm(self) -> None:
        """Drop what is planned."""
        self._plans.clear()

    def release(self) -> None:
        """Send the answers that are late."""
        for session, frame in self._held:
            session.send(frame)
        self._held = []

    def inject(self, mti: str, elements: Elements) -> None:
        """Send a message that nobody asked for, on every connection."""
        for session in self.sessions:
            session.send(self.wire.frame(self.wire.write(mti, elements, session.key)))

    def report(self, day: datetime.date) -> str:
        """The daily file: CSV as the dialect says."""
        form = self._dialect["report"]
        rows = [form["separator"].join((form["day"], "terminal", form["reference"], form["amount"], form["fee"]))]
        for entry, amount, fee in self.books.report(day):
            cells = [
                str(n) if form["minor"] else f"{'-' * (n < 0)}{abs(n) // 100}.{abs(n) % 100:02}" for n in (amount, fee)
            ]
            rows.append(form["separator"].join((f"{day:{form['day_form']}}", entry.key[0], entry.rrn, *cells)))
        return "\n".join(rows) + "\n"

    def forget(self) -> None:
        """Lose the session keys: nothing that comes has a right MAC."""
        for session in self.sessions:
            session.key = os.urandom(16)

    def prefix(self) -> int:
        """See AcquirerServer."""
        return self.wire.prefix

    def length(self, prefix: bytes) -> int:
        """See AcquirerServer."""
        return self.wire.length(prefix)

    def handle(self, session: Session, message: bytes) -> None:
        """Answer one message, as the mood says."""
        mti, elements, holds = self.wire.read(message, session.key)
        name, kind, again, form = self._classify(mti, elements)
        mood = self._plans[name].popleft() if self._plans[name] else ""
        self.heard[f"{name} again" if again else name] += 1
        if mood == "deaf":
            return
        if mood == "cut before":
            raise Cut
        if name == "sign_on":
            reply = self._sign_on(session, mood)
        elif not session.signed_on:
            raise Cut
        elif not holds:
            reply = {39: self._flagged("sign_on")}
        elif mood == "96":
            reply = {39: self._code("unknown", "96")}
        elif mood == "94" and again:
            reply = {39: self._flagged("duplicate")}
        else:
            reply = self._done(name, kind, again, form, elements, mood)
        self._send(session, form["answer"], elements, reply, mood)

    def _send(self, session: Session, mti: str, elements: Elements, reply: Elements, mood: str) -> None:
        echoed = [int(number) for number in (*self._dialect["answers"]["echo"], *self._dialect["answers"]["match"])]
        whole = {number: elements[number] for number in echoed if number in elements} | reply
        changed = {"other": {11: f"{int(elements[11]) % 999999 + 1:06}"}, "amount": {4: "000000000001"}}
        whole |= changed.get(mood, {}) | ({41: "STRANGER"} if mood == "terminal" else {})
        if mood == "96 after":
            whole[39] = self._code("unknown", "96")
        signs_on = session.signed_on and mti == self._dialect["sign_on"]["answer"] and 62 in reply
        key = b"" if signs_on else session.key
        frame = self.wire.frame(self.wire.write(mti, whole, key))
        if mood == "silent":
            return
        if mood == "cut after":
            raise Cut
        if mood == "late":
            self._held.append((session, frame))
        elif mood == "mac":
            session.send(frame[:-1] + bytes((frame[-1] ^ 1,)))
        elif mood == "garbage":
            session.send(self.wire.frame(b"<html>Bad gateway</html>"))
        elif mood == "length":
            session.send(b"\xff" * 8)
        elif mood == "half":
            session.send(frame[: len(frame) // 2])
        else:
            session.send(frame * (2 if mood == "twice" else 1))

    def _sign_on(self, session: Session, mood: str) -> Elements:
        if mood == "refuse":
            return {39: self._code("no", "58")}
        session.signed_on = True
        if not self.wire.has_mac:
            return {39: self._dialect["sign_on"]["done"][0]}
        session.key, sealed = self.wire.new_session()
        return {39: self._dialect["sign_on"]["done"][0], 62: sealed}

    def _done(self, name: str, kind: str, again: bool, form: dict[str, Any], elements: Elements, mood: str) -> Elements:
        """Do what a message asks for."""
        if name == "echo":
            return {39: form["done"][0]}
        if name == "settlement":
            return self._settle(form, elements)
        if name == "reversal":
            done = form["done"]
            return {39: done[0] if self.books.reverse(self._original(elements)) else done[-1]} | self._day()
        key = self._key(elements)
        if key in self._answers:
            return self._answers[key] if again else {39: self._flagged("duplicate")}
        reply = self._decided(key, kind, elements, "refuse" if mood == "refuse" else "")
        self._answers[key] = reply
        return reply

    def _decided(self, key: Key, kind: str, elements: Elements, mood: str) -> Elements:
        """Decide a request or an advice that is new."""
        if key in self.books.gone:
            return {39: self._code("no", "12")}
        effect, amount = _EFFECTS.get(kind, NONE), int(elements[4])
        original = self._original(elements) if self._named in elements else None
        about = self.books.entries.get(original) if original else None
        if original and (about is None or about.reversed_on):
            return {39: self._code("no", "25")}
        if 35 in elements:
            card = Card(elements[35].replace("=", "D"), elements.get(23, ""), elements.get(55, ""))
            code = self.books.judge(key, card, amount, elements[49], effect == DEBIT)
            if code != "00":
                return {39: self._code("no", code)}
        if mood:
            return {39: self._code("no", "05")}
        self._rrn += 1
        rrn = elements[37] if self._time == 12 else f"{self._rrn:012}"
        entry = Entry(key, elements[42], effect, amount, elements[49], self.books.today, rrn, original=original)
        entry = self.books.take(entry)
        reply = {39: self._code("yes", "00"), 37: rrn, 38: entry.auth_code} | self._day()
        if kind == "01":
            reply[54] = f"0002{elements[49]}C{10_000_000 - self.books.owed():012}"
        return reply

    def _settle(self, form: dict[str, Any], elements: Elements) -> Elements:
        key = ("", elements[11], elements[self._time] if self._time in elements else elements[7])
        if key not in self._settled:
            day_element, day_form = (15, "%Y%m%d") if self._named == 90 else (28, "%y%m%d")
            text = f"{self.books.today.year}{elements[15]}" if day_element == 15 else elements[28]
            mine = self.books.totals(datetime.datetime.strptime(text, day_form).date(), elements[50])
            same = all(int(elements[int(number)]) == mine[name] for name, number in form["totals"].items())
            totals = {
                int(number): f"{mine[name]:0{len(elements[int(number)])}}" for name, number in form["totals"].items()
            }
            self._settled[key] = {**totals, int(form["result"]): form["balanced" if same else "differs"]}
        return self._settled[key]

    def _classify(self, mti: str, elements: Elements) -> tuple[str, str, bool, dict[str, Any]]:
        """Name of the kind of message, 60.1 of a transaction, whether it is a repeat, and the dialect's table of it."""
        for name in ("reversal", "settlement", "sign_on", "echo"):
            form = self._dialect[name]
            fixed = {int(number): value for number, value in form.get("set", {}).items()}
            if mti in (form["mti"], form.get("repeat")) and all(elements.get(n) == v for n, v in fixed.items()):
                return name, "", mti == form.get("repeat"), form
        for name in ("request", "advice"):
            for form in self._dialect[name].values():
                wanted = {3: form["process"], 24: form.get("function"), 25: form.get("condition")}
                same = all(value is None or elements.get(number) == value for number, value in wanted.items())
                with_card = "35" in self._dialect["groups"][form["group"]]
                if same and mti in (form["mti"], form.get("repeat")) and with_card == (35 in elements):
                    return name, form["types"][0], mti == form.get("repeat"), form
        raise Unreadable("an unknown message")

    def _key(self, elements: Elements) -> Key:
        return elements[41].strip(), elements[11], elements[self._time]

    def _original(self, elements: Elements) -> Key:
        """What DE 90 or DE 56 is about; of any terminal, since a refund may be made at another one."""
        stan, time = elements[self._named][4:10], elements[self._named][10 : 20 if self._named == 90 else 22]
        mine = (elements[41].strip(), stan, time)
        known = [key for key in self.books.entries if key[1:] == (stan, time)]
        return mine if mine in self.books.entries or not known else known[0]

    def _day(self) -> Elements:
        return {15: f"{self.books.today:%m%d}"} if self._named == 90 else {28: f"{self.books.today:%y%m%d}"}

    def _code(self, kind: str, ours: str) -> str:
        """The dialect's DE 39 for one of ours."""
        fitting = [code for code, row in self._dialect["codes"].items() if (row["is"], row["ours"]) == (kind, ours)]
        return ours if ours in fitting else fitting[0]

    def _flagged(self, flag: str) -> str:
        return next(code for code, row in self._dialect["codes"].items() if row.get(flag))
