# SPDX-License-Identifier: MIT
"""The debug link: calls of the world as JSON lines."""

import base64
import json
import socket
from collections.abc import Callable, Iterator

import pytest

from tools.world.link import Link
from tools.world.world import World

COUNTER = """
import asyncio, machine
async def main():
    while True:
        print("beat")
        await asyncio.sleep(1)
asyncio.run(main())
"""
Do = Callable[..., dict]


@pytest.fixture
def do(new_world: Callable[..., World]) -> Iterator[Do]:
    """Sends one request over a link and returns the answer."""
    with Link(new_world(COUNTER)) as link, socket.create_connection(("127.0.0.1", link.port)) as client:
        lines = client.makefile("rw")

        def do(name: str, **arguments: object) -> dict:
            lines.write(json.dumps({"id": name, "do": name, **arguments}) + "\n")
            lines.flush()
            answer = json.loads(lines.readline())
            assert answer.pop("id") == name
            return answer

        yield do


def test_the_link_controls_a_terminal_from_power_on_to_power_off(do: Do) -> None:
    assert do("on") == {"result": False}
    assert do("power_on") == {"result": None}
    assert do("run_for", ms=3500) == {"result": None}
    assert 3500 <= do("now")["result"] < 4000
    assert do("console")["result"].count("beat") == 4
    assert do("press", keys="12E") == {"result": None}
    assert do("screen_text") == {"result": []}
    assert base64.b64decode(do("screen_png")["result"]).startswith(b"\x89PNG")
    assert do("heap")["result"]["live"] > 0
    assert do("radio", state="off", delay_ms=7)["result"]["state"] == "off"
    assert do("flash_ops")["result"]["programs"] == 0
    assert do("power_off") == {"result": None}
    assert do("on") == {"result": False}


def test_errors_are_reported(do: Do) -> None:
    assert "KeyError" in do("explode")["error"]
    assert "TypeError" in do("press", letters="1")["error"]
    assert "no key 'x'" in do("press", keys="x")["error"]
    assert "ValueError" in do("radio", state="loud")["error"]
    do("power_on")
    assert "0.1 s for 'Hello' on the screen" in do("wait_screen", text="Hello", timeout=0.1)["error"]


@pytest.mark.parametrize("first", ["POST / HTTP/1.1", "[]", '"power_on"', "12", ""])
def test_a_web_page_cannot_switch_the_simulator_on(new_world: Callable[..., World], first: str) -> None:
    """A browser sends HTTP lines first, and JSON only as the body of a form."""
    world = new_world(COUNTER)
    with Link(world) as link, socket.create_connection(("127.0.0.1", link.port), 10) as client:
        client.sendall(f'{first}\r\nHost: localhost\r\n\r\n{{"do": "power_on"}}\n'.encode())
        assert client.makefile().read() == ""
    assert not world.on
