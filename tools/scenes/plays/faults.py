# SPDX-License-Identifier: MIT
"""What a shop seldom sees: a supervisor needed after a restart, damaged flash, safe mode, an older chip."""

from tools.scenes.stage import Stage
from tools.world.flash import PARTITIONS

_PAGE, _RECORD = 256, (0x51, 0x52)  # of the journal, see docs/journal.md


def _chip(stage: Stage) -> bytes:
    return (stage.world.home / "flash.bin").read_bytes()


def _put_back(stage: Stage, chip: bytes) -> None:
    """The flash chip with other contents; the power is off."""
    (stage.world.home / "flash.bin").write_bytes(chip)


def card_still_there(stage: Stage) -> None:
    """The card has been read"""
    stage.network("off")
    stage.press("4500E")
    stage.tap("quartz")
    stage.see_passing("remove-card", "remove", "¥45.00")
    stage.wait("approved_card")
    stage.world.remove()


def after_a_restart(stage: Stage) -> None:
    """Offline after a restart"""
    stage.world.power_off()
    stage.world.power_on()
    stage.wait("approved_card", "restart_receipt")
    stage.press("C")
    stage.wait("home_hint")
    stage.press("1200E")
    stage.see("supervisor-offline", "limit_title", "limit_restart")
    stage.press("E")
    stage.see("supervisor-offline-code", "code_title", "code_hint")
    stage.press("C")
    stage.home()
    stage.network("on")


def unreadable(stage: Stage) -> None:
    """A payment that cannot be read"""
    stage.network("off")
    stage.sell(2000, "amber", "accepted")
    stage.sell(3000, "lotus", "accepted")
    stage.world.power_off()
    chip, (base, size) = bytearray(_chip(stage)), PARTITIONS["journal"]
    records = sorted(
        (int.from_bytes(chip[at + 4 : at + 8], "big"), at)
        for at in range(base, base + size, _PAGE)
        if chip[at] in _RECORD
    )
    older = records[-2][1]  # the newest one would look like a payment that the power cut
    chip[older + 100] ^= 0x01
    chip[older + 101] ^= 0x80
    _put_back(stage, bytes(chip))
    stage.world.radio.state = "on"
    stage.world.power_on()
    stage.wait("accepted", "restart_receipt")
    stage.press("C")
    stage.see("home-unreadable", "home_hint", "home_unreadable")
    stage.menu("settle")
    stage.wait("settle_confirm")
    stage.press("E")
    stage.see("unreadable", "lost_title", "lost_number", "lost_note", "lost_give_up")
    stage.press("E")
    stage.supervise()
    stage.wait("settle_unbalanced")
    stage.press("E")


def out_of_service(stage: Stage) -> None:
    """The keys cannot be read"""
    stage.world.power_off()
    chip, (base, size) = _chip(stage), PARTITIONS["keyring"]
    _put_back(stage, chip[:base] + bytes(size) + chip[base + size :])
    stage.world.power_on()
    stage.see("out-of-service", "fault_title", "fault_keys", "fault_keys_note")
    stage.world.power_off()
    _put_back(stage, bytes(chip))
    stage.world.power_on()


def safe_mode(stage: Stage) -> None:
    """Safe mode"""
    stage.world.power_off()
    for key in "CE":
        stage.world.hold(key)
    stage.world.power_on()
    stage.see("safe-mode", "暂停服务 Safe mode", "No sales. No payment was changed.")
    for key in "CE":
        stage.world.release(key)
    stage.world.run_for(1000)
    stage.press("E")
    stage.network("on")


def an_older_chip(stage: Stage) -> None:
    """The host has seen a newer state of the chip"""
    stage.sell(700)
    stage.world.power_off()
    chip = _chip(stage)
    stage.world.power_on()
    stage.home()
    stage.network("on")
    stage.sell(900)
    stage.world.power_off()
    _put_back(stage, bytes(chip))
    stage.world.power_on()
    stage.home()
    stage.see("quarantined", "quarantined", "held_seen", "held_clear")
    stage.press("E")
    stage.see("home-held", "home_hint", "home_held")


PLAYS = (card_still_there, after_a_restart, unreadable, out_of_service, safe_mode, an_older_chip)
