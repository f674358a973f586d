# SPDX-License-Identifier: MIT
"""The web server of the panel: what it serves and to whom, and the effect of each command."""

import re
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from host_tests.harness.panel.page import Page
from tools.cards.catalogue import CATALOGUE
from tools.panel.server import Server
from tools.panel.simulation import Simulation
from tools.world.ili9341 import HEIGHT, WIDTH

_WHOLE = 2 + 2 * WIDTH * HEIGHT


@pytest.fixture
def web(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, trust_env=False) as web:
        yield web


def test_serves_every_file_that_the_page_references(web: httpx.Client) -> None:
    index = web.get("/")
    assert "default-src 'self'" in index.headers["content-security-policy"]
    waiting = set(re.findall(r'(?:src|href)="([^"#]+)"', index.text))
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        assert path.startswith("/page/"), f"{path} is outside /page"
        answer = web.get(path)
        assert answer.status_code == 200, path
        imported = {f"/page/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)}
        waiting |= imported - seen
    assert len(seen) > 10


def test_references_no_other_site(web: httpx.Client) -> None:
    page = web.get("/").text + web.get("/page/page.css").text + web.get("/page/device.css").text
    assert not re.findall(r"(?:https?:)?//\w", page.replace("://${location", ""))


def test_refuses_another_host_name(web: httpx.Client) -> None:
    assert web.get("/", headers={"host": "kassa.example"}).status_code == 400
    assert web.get("/api/state", headers={"host": "kassa.example"}).status_code == 400


def test_refuses_a_websocket_from_another_origin(server: Server) -> None:
    address, origin = f"ws://127.0.0.1:{server.port}/link", Origin("http://kassa.example")
    with pytest.raises(InvalidStatus), connect(address, origin=origin, proxy=None):
        pass


def test_shows_no_full_card_number(web: httpx.Client, page: Page) -> None:
    numbers = [entry.pan for entry in CATALOGUE.values() if entry.pan]
    assert len(numbers) > 10
    known = web.get("/api/state").text
    assert not [number for number in numbers if number in known]
    assert len(page.topics["cards"]) == len(CATALOGUE)


@pytest.mark.parametrize("message", [
    "", "[]", "nonsense", {"do": "nothing"}, {"do": ["key"]}, {"do": "key"}, {"do": "key", "key": "12"}, {"do": "key", "key": 1},
    {"do": "tap", "card": "none"}, {"do": "lay", "card": ["jade"]}, {"do": "radio", "state": "loud"},
    {"do": "radio", "state": {}}, {"do": "mood", "mood": "blue"}, {"do": "cut", "tear": "quarter"}, {"do": "cut", "tear": {}},
    {"do": "phone"}, {"do": "phone", "act": ["pay"]}, {"do": "phone", "act": "pay", "wallet": "nobody"},
    {"do": "phone", "act": "code", "wallet": "lightning"}, {"do": "phone", "act": "mood", "wallet": "wechat", "mood": "blue"},
])  # fmt: skip
def test_refuses_invalid_commands_and_continues(page: Page, message: object) -> None:
    page.topics.pop("error", None)
    page.send(message)
    page.wait(lambda: "error" in page.topics, "a refusal")
    page.keys("5")
    page.wait_screen("¥0.05")  # still works
    page.keys("C")
    page.wait_screen("E Sell")


def test_a_new_connection_gets_the_whole_display_first(server: Server, page: Page) -> None:
    with Page(server.port) as other:
        other.wait(lambda: other.bands, "the display")
        assert other.bands[0][:2] == bytes((0, HEIGHT))
        assert len(other.bands[0]) == _WHOLE


def test_a_key_sends_only_the_changed_band(page: Page) -> None:
    page.keys("1")
    page.wait_screen("¥0.01")
    page.bands.clear()
    page.keys("2")
    page.wait_screen("¥0.12")
    page.wait(lambda: page.bands, "pixels")
    for band in page.bands:
        assert len(band) == 2 + 2 * WIDTH * band[1]
    assert sum(len(band) for band in page.bands) < _WHOLE
    page.keys("C")
    page.wait_screen("E Sell")


def test_an_online_sale_reaches_ledger_and_paper(page: Page) -> None:
    before, paper = len(page.payments), len(page.topics.get("paper", []))
    page.keys("1280E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="jade")
    page.wait_screen("Authorisation code")
    page.wait(lambda: len(page.payments) == before + 1 and page.payments[0]["state"] == "APPROVED", "the ledger")
    assert page.payments[0]["amount"] == 1280
    assert page.payments[0]["card"].endswith("0011")
    page.wait(lambda: len(page.topics.get("paper", [])) == paper + 1, "the receipt")
    assert any("12.80" in line["text"] for line in page.topics["paper"][-1]["lines"])
    page.wait(lambda: not page.topics["world"]["lying"], "the card to leave")
    expected = {"card", "till_prepared", "receipt", "host_approved"}
    page.wait(lambda: expected <= {event["what"] for event in page.events}, "what happened")


def test_an_offline_sale_waits_on_the_terminal_and_settles_by_itself(page: Page) -> None:
    settled = page.topics["till"]["settled"]["sum"]
    page.do("radio", state="off")
    page.wait_screen("Offline")
    page.keys("2500E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="amber")
    page.wait(lambda: page.topics["till"]["waiting"]["count"] == 1, "the queue")
    row = page.topics["till"]["waiting"]["rows"][0]
    assert (row["amount"], row["state"], row["card"][-4:]) == (2500, "accepted", "0029")
    page.do("radio", state="on")
    page.wait(lambda: page.topics["till"]["settled"]["sum"] == settled + 2500, "the settlement", 40)
    page.wait(lambda: (page.payments[0]["amount"], page.payments[0]["state"]) == (2500, "APPROVED"), "the ledger")


def test_a_forged_card_is_refused(page: Page) -> None:
    page.keys("900E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="forged")
    page.wait_screen("Declined")
    page.wait(lambda: page.payments[0]["state"] == "DECLINED", "the ledger")


def test_two_cards_on_the_reader_are_refused(page: Page) -> None:
    page.do("lay", card="jade")
    page.do("lay", card="amber")
    page.wait(lambda: page.topics["world"]["lying"] == ["jade", "amber"], "both cards")
    before = len(page.payments)
    page.keys("700E")
    page.wait(
        lambda: {"single card", "Cancelled"} & set(re.findall("single card|Cancelled", "\n".join(page.screen))), "a no"
    )
    assert len(page.payments) == before
    page.do("take", card="amber")
    page.do("take", card="jade")
    page.wait(lambda: page.topics["world"]["lying"] == [], "an empty reader")


def test_a_payment_is_not_taken_after_a_power_cut_during_a_write(page: Page) -> None:
    page.keys("3350E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("cut", tear="half")
    page.wait(lambda: page.topics["world"]["cut"], "the order")
    page.do("tap", card="coral")
    page.wait(lambda: not page.topics["world"]["power"], "darkness")
    page.wait(lambda: page.screen == [], "a dark display")
    page.wait(lambda: any(event["what"] == "power_cut" for event in page.events), "the event")
    page.do("power", on=True)
    page.wait_screen("E OK")
    assert any("Not taken" in line for line in page.screen)


def test_the_power_switch_turns_the_terminal_off_and_on(page: Page, simulation: Simulation) -> None:
    page.do("power", on=False)
    page.wait(lambda: not page.topics["world"]["power"], "darkness")
    assert not simulation.system.world.on
    page.keys("1")  # keys of a dead terminal do nothing
    page.do("power", on=True)
    page.wait(lambda: page.topics["world"]["power"], "light")
