# SPDX-License-Identifier: MIT
"""Who may ask the host for an operator's work, and the batch of a terminal that never comes back."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from host_tests.harness.host.broken import journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import alarms, books, counts, day, hand_in, refusal, rows
from host_tests.harness.host.terminal import Terminal
from tools.host.commands.close_batch import main as close_batch
from tools.host.folder_lock import claim
from tools.host.operations.operator_work import FILE
from tools.sim.host import Host


def close(host: Host, *more: str) -> Result:
    arguments = ["--home", str(host.home), "--terminal", "KASSA001", "--by", "Ms Li", *more]
    result = CliRunner().invoke(close_batch, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def batches(host: Host) -> dict[tuple[int, str], tuple[str, int | None, int | None]]:
    """State, debit amount and debit count of each batch, by epoch and number."""
    found = rows(host, "SELECT epoch, number, state, debit_amount, debit_count FROM batch")
    return {(epoch, number): (state, amount, count) for epoch, number, state, amount, count in found}


def knock(host: Host, token: str, what: str = "hand-in", body: bytes = b"{}") -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", host.page_port, timeout=10)
    line.request("POST", f"/api/operator/{what}", body, {"Authorization": token} if token else {})
    answer = line.getresponse()
    said = answer.status, answer.read().decode()
    line.close()
    return said


def test_only_who_may_read_the_hosts_folder_may_ask(host: Host) -> None:
    path = host.home / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    token = json.loads(path.read_text())["token"]
    for wrong in ("", "Bearer", "Bearer ", f"Bearer {token[:-1]}", token, f"Bearer {token}x"):
        assert knock(host, wrong)[0] == 401
    assert knock(host, f"Bearer {token}")[0] == 400  # malformed, but let in
    assert knock(host, f"Bearer {token}", "anything")[0] == 404
    assert token not in json.dumps(host.view()) and not host.view()["alarms"]


@pytest.mark.parametrize(
    "wanted",
    [
        b"",
        b"[]",
        b"{}",
        b'{"records": 1}',
        b'{"records": [["?", "open"]], "by": "x", "deferred": [], "reverse": []}',
        b'{"records": [["UVE=", "no mark"]], "by": "x", "deferred": [], "reverse": []}',
        b'{"records": [["UVE=", "open"]], "by": " ", "deferred": [], "reverse": []}',
        b'{"records": [], "by": "x", "deferred": [], "reverse": []}',
        b'{"records": [["UVE=", "open"]], "by": "x", "deferred": ["a"], "reverse": []}',
        b'{"records": [["UVE=", "open"]], "by": "x", "deferred": [], "reverse": []}',
    ],
)
def test_a_malformed_request_is_answered_and_changes_nothing(host: Host, wanted: bytes) -> None:
    token = json.loads((host.home / FILE).read_text())["token"]
    status, said = knock(host, f"Bearer {token}", "hand-in", wanted)
    assert status == 400 and json.loads(said)["error"]
    assert rows(host, "SELECT (SELECT count(*) FROM hand_in) + (SELECT count(*) FROM audit)") == [(0,)]


def test_a_request_that_is_too_large_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.host.operations.operator_work._LARGEST", 1000)
    token = json.loads((host.home / FILE).read_text())["token"]
    assert knock(host, f"Bearer {token}", "hand-in", b" " * 2000)[0] == 413


def test_a_folder_in_use_and_a_host_that_is_gone(host: Host, till: Terminal, card: Card) -> None:
    image = journal(*day(till, card))
    door = (host.home / FILE).read_text()
    till.hang_up()
    host.stop()
    (host.home / FILE).write_text(door)  # as if the host had been killed
    with claim(host.home):
        assert "another process works in" in refusal(host, image)
    assert counts(hand_in(host, image)) == {"taken in": 3}


def test_the_batch_of_a_terminal_that_never_comes_back_is_closed(host: Host, till: Terminal, card: Card) -> None:
    hand_in(host, journal(*day(till, card)))
    result = close(host)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "BATCH CLOSED BY AN OPERATOR" in said and "by Ms Li" in said and "debit 2, 42.50; credit 0, 0.00" in said
    assert "sale 2 42.50" in said and "cash 1 8.00" in said and "next: epoch 2, batch 000002" in said
    assert batches(host) == {(1, "000001"): ("closed", 4250, 2)}
    assert "batch closed by an operator" in alarms(host)
    assert "no open batch" in close(host).output and books(host) == (4250, 800, 0)


def test_a_batch_with_a_missing_record_is_closed_only_despite_it(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    hand_in(host, journal(sold[0], sold[2]), status=1)
    result = close(host)
    assert result.exit_code == 1 and "records 2 never arrived" in result.output and "Hand in" in result.output
    assert batches(host)[1, "000001"][0] == "open"
    result = close(host, "--despite")
    assert result.exit_code == 0 and "missing, neither here nor handed in: 2" in result.output
    assert batches(host)[1, "000001"] == ("closed", 4250, 2)


def test_a_payment_without_an_answer_moves_to_the_next_batch(host: Host, till: Terminal, card: Card) -> None:
    image = journal(*day(till, card))
    host.mood = "decline 91"
    hand_in(host, image, status=1)
    assert "2 payments for 4250 have no final answer" in close(host).output
    assert close(host, "--despite").exit_code == 0
    assert batches(host) == {(1, "000001"): ("closed", 0, 0), (1, "000002"): ("open", None, None)}
    host.mood = "normal"
    assert counts(hand_in(host, image)) == {"taken in": 2, "there already": 1}
    assert close(host).exit_code == 0
    assert batches(host)[1, "000002"] == ("closed", 4250, 2) and books(host) == (4250, 800, 0)


def test_a_terminal_that_comes_back_after_all_sends_the_rest_in_its_old_epoch(
    host: Host, till: Terminal, card: Card
) -> None:
    sold = day(till, card)
    hand_in(host, journal(*sold[:2]))
    assert close(host).exit_code == 0
    answer = till.ask(till.handshake())
    assert answer.elements[62][1] == 0 and int.from_bytes(answer.elements[62][2:4], "big") == 2  # agreed; epoch 2
    assert [till.ask(till.sale(one, deferred=True)).code for one in (sold[0], sold[2])] == ["00", "00"]
    assert books(host) == (4250, 800, 0)
    till.epoch, till.batch, till.head = 2, 2, bytes(8)  # adopts the new epoch
    record = till.record(100, card.tap(100))
    assert till.ask(till.handshake()).elements[62][1] == 0
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert batches(host) == {
        (1, "000001"): ("closed", 1250, 1),
        (1, "000002"): ("closed", 3000, 1),
        (2, "000002"): ("open", None, None),
    }
    assert till.ask(till.close(100, 1)).elements[48].hex()[30] == "1"
    assert books(host) == (4350, 800, 0) and host.view()["terminals"][0]["quarantine"] is None


def test_a_record_of_an_epoch_that_is_over_puts_its_money_into_quarantine(
    host: Host, till: Terminal, card: Card
) -> None:
    """The terminal came back and left nothing behind, so this record is another chip's."""
    sold = day(till, card)
    hand_in(host, journal(*sold[:2]))
    assert close(host).exit_code == 0
    till.epoch, till.batch, till.head = 2, 2, bytes(8)
    till.sequence = 0
    assert till.ask(till.handshake()).code == "00"
    report = hand_in(host, journal(*sold), status=1)
    assert counts(report) == {"there already": 2, "taken in": 1}
    assert any("epoch 1 is over" in one for one in report["remarks"])
    assert books(host) == (1250, 800, 3000)


def test_a_quarantined_terminal_is_cleared_first(host: Host, till: Terminal, card: Card) -> None:
    first = till.record(1250, card.tap(1250))
    till.sequence, till.head = 0, bytes(8)
    hand_in(host, journal(first))
    hand_in(host, journal(till.record(600, card.tap(600))), status=1)
    assert "is in quarantine" in close(host, "--despite").output
    assert batches(host)[1, "000001"][0] == "open"
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    assert close(host).exit_code == 0
    assert batches(host) == {(1, "000001"): ("closed", 1850, 2)} and books(host) == (1850, 0, 0)


def test_closing_needs_a_known_terminal_and_no_running_host(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card
) -> None:
    arguments = ["--home", str(host.home), "--terminal", "KASSA009", "--by", "Ms Li"]
    assert "not registered" in CliRunner().invoke(close_batch, arguments).output
    hand_in(host, journal(*day(till, card)))
    till.hang_up()
    host.stop()
    assert close(host).exit_code == 0
    assert batches(host) == {(1, "000001"): ("closed", 4250, 2)}
