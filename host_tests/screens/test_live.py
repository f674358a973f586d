# SPDX-License-Identifier: MIT
"""The screens on the simulated board: keys from the matrix, pixels over the bus, accelerated time."""

STAGE = """
import asyncio
from board import Board
from kassa import money, status
from kassa.screens.font import Font
from kassa.screens.ui import Ui
board = Board()
board.display.start()
news = status.Status()
ui = Ui(board.display, board.keypad, news, Font(), "en")
async def feed():
    while True:
        board.watchdog.feed()
        await asyncio.sleep(5)
async def main():
    asyncio.create_task(board.keypad.run())
    asyncio.create_task(feed())
    await page()
"""
AMOUNT = (
    STAGE
    + """
async def page():
    while True:
        value = await ui.amount("Sale")
        print("amount", value)
        await ui.message("ok", "Approved", ["done"], amount=money.text(value or 0))
asyncio.run(main())
"""
)


def written(world) -> int:
    return world.chips.display.bytes_in


def test_keys_pressed_faster_than_screens_are_drawn_are_not_lost(run_script) -> None:
    world = run_script(AMOUNT)
    world.press("123456789012E")
    world.wait_screen("Approved")
    assert "amount 123456789012" in world.console
    world.press("E")
    world.wait_screen("¥0.00")


def test_a_digit_redraws_only_the_amount(run_script) -> None:
    world = run_script(AMOUNT)
    world.wait_screen("¥0.00")
    for key, amount in zip("12345B", ("¥0.01", "¥0.12", "¥1.23", "¥12.34", "¥123.45", "¥12.34"), strict=True):
        before = written(world)
        world.press(key)
        world.wait_screen(amount)
        world.run_for(100)
        assert written(world) - before < 14_000  # 2.8 ms at 40 MHz


def test_cancel_leaves_the_amount_page(run_script) -> None:
    world = run_script(AMOUNT)
    world.press("55C")
    world.wait_screen("Approved")
    assert "amount None" in world.console


def test_a_page_without_an_answer_ends_after_two_minutes(run_script) -> None:
    world = run_script(AMOUNT)
    world.wait(lambda: "amount None" in world.console, "the page to end")
    assert 120_000 <= world.now < 125_000


def test_a_page_shown_again_redraws_only_its_changed_line(run_script) -> None:
    world = run_script(
        STAGE
        + """
async def page():
    for seconds in range(4):
        await ui.show("wait", "Authorising", ["Please wait", "%d s" % seconds], amount="¥12.00")
        await asyncio.sleep(1)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    )
    world.wait_screen("0 s")
    before = written(world)
    world.wait_screen("3 s")
    assert written(world) - before < 3 * 10_000


def test_a_line_that_becomes_taller_erases_the_line_below(run_script) -> None:
    picture = []
    for lines in (["A short line", "below"], ["A line that is too long for the large type", "other"]):
        world = run_script(
            STAGE
            + f"""
async def page():
    await ui.show("tap", "Present", {lines!r}, amount="¥12.00")
    await asyncio.sleep(1)
    await ui.show("tap", "Present", ["Unread", "again"], amount="¥12.00")
    await asyncio.sleep(60)
asyncio.run(main())
"""
        )
        world.wait_screen("again")
        world.run_for(500)
        picture.append(world.screen_png())
    assert picture[0] == picture[1]


def test_the_top_bar_is_updated_while_a_page_waits(run_script) -> None:
    world = run_script(
        STAGE
        + """
news.batch = 7
async def page():
    asyncio.create_task(later())
    await ui.message("ask", "Settle the batch?")
async def later():
    await asyncio.sleep(5)
    news.link, news.pending_count, news.pending_sum = status.LINK_HOST, 3, 12000
    news.changed()
asyncio.run(main())
"""
    )
    assert "Batch 7 All sent" in world.wait_screen("Offline")[0]
    assert "3 to send ¥120.00" in world.wait_screen("Online")[0]


def test_keys_pressed_before_a_fresh_message_do_not_answer_it(run_script) -> None:
    world = run_script(
        STAGE
        + """
async def page():
    await asyncio.sleep(2)
    key = await ui.message("refuse", "Declined", fresh=True)
    print("key", key)
    key = await ui.message("ok", "Approved", keys="E=key_yes C=key_no")
    print("key", key)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    )
    world.press("E")
    world.wait_screen("Declined")
    world.run_for(5000)
    assert "key" not in world.console
    world.press("E1C")  # a key without a meaning is ignored
    world.wait(lambda: world.console.count("key") == 2, "both answers")
    assert [line for line in world.console.splitlines() if line.startswith("key")] == ["key 69", "key 67"]


def test_a_menu_works_by_number_and_arrows_and_the_language_can_change(run_script) -> None:
    world = run_script(
        STAGE
        + """
async def page():
    items = ["one", "two", "three", "four", "five", "six"]
    for _ in range(3):
        print("chose", await ui.menu("Menu", items))
    ui.use("zh")
    code = bytearray(6)
    print("code", await ui.code(ui.t("code_title"), 6, code), code)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    )
    lines = world.wait_screen("6 six")
    assert lines[1:8] == ["Menu", "1 one", "2 two", "3 three", "4 four", "5 five", "6 six"]
    world.press("UUE")
    world.wait(lambda: "chose 4" in world.console, "the fifth")
    world.press("3")
    world.wait(lambda: "chose 2" in world.console, "the third")
    world.press("DC")
    lines = world.wait_screen("主管密码")
    assert "{no wifi} 无网络" in lines[0]
    world.press("12B456")
    world.wait_screen("{dot}  {dot}  {dot}  {dot}")
    world.press("78E")
    world.wait(lambda: "code 6" in world.console, "the code")
    assert "bytearray(b'145678')" in world.console


def test_other_tasks_run_while_a_page_is_drawn(run_script) -> None:
    """They run at least once for every 5 KiB strip."""
    world = run_script(
        STAGE
        + """
turns, counting = 0, True
async def count():
    global turns
    while counting:
        turns += 1
        await asyncio.sleep_ms(0)
async def page():
    global counting
    asyncio.create_task(count())
    await ui.show("ok", "Approved", ["done"], amount="¥12.00")
    counting = False
    print("turns", turns)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    )
    world.wait(lambda: "turns" in world.console, "the count")
    strips = world.chips.display.bytes_in - 2 * 320 * 240  # less the driver's initial fill
    assert int(world.console.split("turns ")[1].split()[0]) >= strips // 5120
