# SPDX-License-Identifier: MIT
"""`python -m tools.bench.tasks`: counts the keys of a shop's daily tasks, and writes them into docs/performance.md.

Each task is done by somebody who reads the screen alone: a menu line is chosen by the digit in front of its words, and a key is
pressed because the page asks for it. Keys that only leave a result are not counted.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tools import typing_keys
from tools.bench import page
from tools.bench.hand import Hand
from tools.cashier import CODE, CashierActions
from tools.provision.device import Operator, Terminal
from tools.whole_system import WholeSystem
from tools.world.access_points import AccessPoint

BEGIN = "<!-- keys: written by `python -m tools.bench.tasks` -->"
END = "<!-- end of keys -->"
_WALLET_CODE = "134567890123456788"
_OPERATOR = Operator(1, "c", "5086")
_NETWORK, _PASSPHRASE = "shop-upstairs", "teapot99"
STAFFED = {"language": "en", "supervisor_code": CODE, "operators": (_OPERATOR,)}  # of Terminal


def log_in(hand: Hand) -> None:
    hand.answer("Your operator number", f"{_OPERATOR.number}E")
    hand.answer("Code of operator", f"{_OPERATOR.code}E")
    hand.end("Type the amount")


def card_sale(hand: Hand) -> None:
    hand.press("1280E")
    hand.tap()
    hand.end("Approved")


def cash_sale(hand: Hand) -> None:
    hand.press("2000U")
    hand.answer("Given by the customer", "5000E")
    hand.end("Change ¥30.00")


def customers_code(hand: Hand) -> None:
    hand.press("990D")
    hand.see("The customer's code")
    hand.cashier.world.scan(_WALLET_CODE)
    hand.end("Paid")


def our_code(hand: Hand) -> None:
    hand.press("880D")
    hand.answer("Show ours", "M")
    hand.see("s left")
    hand.end("Paid")


def tip(hand: Hand) -> None:
    hand.press("200M")
    hand.answer("Add a tip", "E")
    hand.answer("Change the amount?", "E")
    hand.end("Was ¥12.80")


def void(hand: Hand) -> None:
    hand.choose("void")
    hand.answer("Cash", "E")
    hand.answer("Void this payment?", "E")
    hand.answer("Supervisor code", CODE + "E")
    hand.end("returned")


def refund(hand: Hand) -> None:
    hand.choose("refund")
    hand.answer("Refund: paid by", "3")
    hand.answer("Refund: amount", "500E")
    hand.answer("Supervisor code", CODE + "E")
    hand.end("Cash returned")


def preauth(hand: Hand) -> None:
    hand.choose("preauth")
    hand.answer("Pre-authorise: amount", "10000E")
    hand.tap()
    hand.end("Pre-authorised")


def completion(hand: Hand) -> None:
    paper = hand.cashier.world.receipts[-1].text()
    code = next(line.split()[-1] for line in paper.splitlines() if line.startswith("Auth code"))
    hand.choose("completion")
    hand.answer("Final amount", "8000E")
    hand.answer("Authorisation code", code + "E")
    hand.tap()
    hand.end("Approved")


def find_by_amount(hand: Hand) -> None:
    hand.choose("find_amount")
    hand.answer("¥0.00", "990E")
    hand.end("Paid with")


def find_by_card(hand: Hand) -> None:
    hand.choose("find_card")
    hand.answer("last four digits", "0011E")
    hand.end("Card ** 0011")


def print_last(hand: Hand) -> None:
    hand.choose("reprint")
    hand.cashier.world.wait(lambda: "DUPLICATE" in hand.cashier.world.receipts[-1].text(), "the receipt")
    hand.end("Type the amount")


def print_any(hand: Hand) -> None:
    hand.choose("find_amount")
    hand.answer("¥0.00", "990E")
    hand.answer("E Print", "E")
    hand.cashier.world.wait(lambda: "￥9.90" in hand.cashier.world.receipts[-1].text(), "the receipt")
    hand.end("Paid with")


def totals(hand: Hand) -> None:
    hand.choose("totals")
    hand.answer("E Print", "E")
    hand.cashier.world.wait(lambda: "Totals" in hand.cashier.world.receipts[-1].text(), "the slip")
    hand.end("Totals of the batch")


def detail(hand: Hand) -> None:
    hand.choose("detail")
    hand.answer("M Print", "M")
    hand.cashier.world.wait(lambda: "List of" in hand.cashier.world.receipts[-1].text(), "the slip")
    hand.end("List of the batch")


def queue(hand: Hand) -> None:
    hand.choose("queue")
    hand.end("Nothing waits to be sent")


def refused_later(hand: Hand) -> None:
    hand.choose("refused_list")
    hand.end("Nothing was refused later")


def limits(hand: Hand) -> None:
    hand.choose("limits")
    hand.end("Room left")


def test_host(hand: Hand) -> None:
    hand.choose("echo")
    hand.end("The host answers")


def test_network(hand: Hand) -> None:
    hand.choose("network_test")
    hand.end("Answer of the host  OK")


def join_network(hand: Hand) -> None:
    """The passphrase has eight characters."""
    hand.cashier.world.radio.others = (AccessPoint(_NETWORK, -70, key=_PASSPHRASE),)
    hand.choose("wifi_join")
    lines = [line for line in hand.see("Another network") if "{" not in line]
    hand.press("D" * next(row for row, line in enumerate(lines[1:]) if line.startswith(_NETWORK)) + "E")
    for at in range(0, len(_PASSPHRASE), 6):  # the keypad's queue is short
        hand.answer(f"{at}/63" if at else "Passphrase", typing_keys.keys(_PASSPHRASE[at : at + 6]))
    hand.answer(f"{len(_PASSPHRASE)}/63", "E")
    hand.end("Joined")
    hand.cashier.world.wait_screen("Online", 60)


def brightness(hand: Hand) -> None:
    hand.choose("brightness")
    hand.answer("Change it with the arrows", "3E")
    hand.end("Type the amount")


def hand_over(hand: Hand) -> None:
    """To the next operator, who logs in."""
    hand.choose("shift")
    hand.answer("Hand over the till?", "E")
    log_in(hand)


def language(hand: Hand) -> None:
    hand.choose("change_language")
    hand.answer("中文", "2")
    hand.end("Type the amount")


def settle(hand: Hand) -> None:
    hand.choose("settle")
    hand.answer("Settle the batch?", "E")
    hand.end("Balanced")


class Task(NamedTuple):
    """A daily task.

    `name`: of its figure, keys_`name`. `words`: what the guide calls it. `do`: does it on a terminal at its home page;
    `log_in` at the page for that.
    """

    name: str
    words: str
    do: Callable[[Hand], None]


TASKS = (
    Task("log_in", "Log in with number and code", log_in),
    Task("card", "Take ¥12.80 by card", card_sale),
    Task("tip", "Add a tip of ¥2.00 to the newest card sale", tip),
    Task("cash", "Take ¥20.00 in cash, given ¥50.00", cash_sale),
    Task("void", "Void that cash sale", void),
    Task("scan", "Take ¥9.90 by the customer's code", customers_code),
    Task("show", "Take ¥8.80 by a code on the terminal", our_code),
    Task("refund", "Give ¥5.00 back in cash", refund),
    Task("preauth", "Hold ¥100.00", preauth),
    Task("completion", "Take ¥80.00 of it", completion),
    Task("find_amount", "Find a payment by its amount", find_by_amount),
    Task("find_card", "Find a payment by its card", find_by_card),
    Task("print_last", "Print the last receipt again", print_last),
    Task("print_any", "Print any receipt again", print_any),
    Task("totals", "Print the totals", totals),
    Task("detail", "Print the list of payments", detail),
    Task("queue", "See what waits to be sent", queue),
    Task("refused", "See what was refused later", refused_later),
    Task("limits", "See how much may still be taken offline", limits),
    Task("host", "Test the host", test_host),
    Task("network", "Test the network step by step", test_network),
    Task("wifi", "Join a Wi-Fi network with a passphrase of 8 characters", join_network),
    Task("brightness", "Make the screen darker", brightness),
    Task("language", "Choose the language", language),
    Task("shift", "Hand the till over to the next cashier, who logs in", hand_over),
    Task("settle", "Settle the batch", settle),
)


def measure() -> dict[str, int]:
    """Do every task on one terminal, one after the other; the keys of each, by its name."""
    terminal = Terminal(**STAFFED)  # type: ignore[arg-type]
    with (
        tempfile.TemporaryDirectory(prefix="kassa-keys-") as home,
        WholeSystem(Path(home), terminal=terminal) as system,
    ):
        cashier = CashierActions(system.world)
        cashier.sign_on()
        return {f"keys_{task.name}": count(task, cashier) for task in TASKS}


def count(task: Task, cashier: CashierActions) -> int:
    """Do a task; the number of keys it took."""
    hand = Hand(cashier)
    task.do(hand)
    return hand.keys


def write(found: dict[str, int], path: Path = page.PAGE) -> None:
    """Replace the table in the page."""
    lines = ["| task | figure | keys |", "|---|---|---|"]
    lines += [f"| {task.words} | `keys_{task.name}` | {found[f'keys_{task.name}']} |" for task in TASKS]
    before, rest = path.read_text().split(BEGIN)
    path.write_text("\n".join([before + BEGIN, *lines, END]) + rest.split(END)[1])


if __name__ == "__main__":
    figures = measure()
    for name, keys in figures.items():
        print(name, keys, "keys")
    write(figures)
