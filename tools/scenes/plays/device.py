# SPDX-License-Identifier: MIT
"""This terminal: about it, its language, its host."""

from tools import menu_keys
from tools.scenes.stage import Stage


def about(stage: Stage) -> None:
    """About this terminal"""
    stage.menu("about")
    stage.see("about", "about_title", "about_version", hide=("about_memory",))
    stage.press("DDDDDDD")
    stage.see("about-2", "about_title", "about_memory", hide=("about_memory",))


def printer(stage: Stage) -> None:
    """The printer is set up"""
    stage.menu("printer_set_up")
    stage.see("printer", "printer_set_up", "printer_width", "printer_test")


def comfort(stage: Stage) -> None:
    """Brightness and sound"""
    stage.menu("brightness")
    stage.see("brightness", "brightness", "level_note")
    stage.press("C")
    stage.home()
    stage.menu("sound")
    stage.see("sound", "sound", "level_note")
    stage.press("C")


def self_test(stage: Stage) -> None:
    """The terminal tests itself"""
    stage.menu("selftest")
    stage.see("self-test", "selftest", "check_display", hide=("about_memory",))
    stage.press("E")
    stage.see("self-test-keys", "keys_title", "keys_note")
    stage.press("0123456789ECBMUD")
    stage.see("self-test-done", "selftest", "check_all")
    stage.press("C")


def host(stage: Stage) -> None:
    """The host is tested"""
    stage.menu("echo")
    stage.see("echo-ok", "echo", "echo_ok")


def language(stage: Stage) -> None:
    """The other language"""
    stage.menu("change_language")
    stage.see("language", "language_title", "中文", "English")
    stage.press("1" if stage.language == "en" else "2")
    stage.see("other-language", {"en": "请输入金额", "zh": "Type the amount"}[stage.language])
    stage.press(menu_keys.keys_of("change_language"))
    stage.wait({"en": "语言", "zh": "Language"}[stage.language], "中文", "English")
    stage.press("2" if stage.language == "en" else "1")
    stage.wait("home_hint")


def own_code(stage: Stage) -> None:
    """A code is changed where nobody logs in"""
    stage.menu("own_code")
    stage.see("own-code-number", "operator_number", "operator_hint")
    stage.press("C")


PLAYS = (about, printer, comfort, self_test, host, own_code, language)
