# SPDX-License-Identifier: MIT
"""The end of the journal as boot finds it. A power cut may have left it half programmed."""


class Tail:
    """Properties of the end of the journal, filled by mount."""

    def __init__(self) -> None:
        self.torn = False  # an unfinished record follows the newest one, and the cashier was not told yet
        self.counted = False  # mount has counted the newest record: no mark or header includes it yet
        self.before: tuple[int, int, int] = (0, 0, 0)  # count, sum and oldest without that record
        self.covered = 0  # the newest sequence when the last mark was written
        self.stabilised = 0  # an earlier boot has stabilised the pages up to this one: ignore a new record there
        self.told = 0  # the cashier was told about unfinished payments up to this page
        self.record = False  # a record was written last
        self.mark = bytearray()  # the mark that was written last, with nothing after it
        self.opened = False  # a header was written last
        self.copies = (
            0  # of what was written last, each made by a boot, which may have left half programmed cells behind
        )
        self.place: tuple[int, int, int] = (-1, 0, 0)  # sector, page and cell of the last mark read
        self.end: tuple[int, int] = (1, 0)  # the last page in use and the last mark cell in use
