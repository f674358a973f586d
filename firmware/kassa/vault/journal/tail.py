# SPDX-License-Identifier: MIT
"""What boot finds at the end of the journal, where a power cut may have left something half written."""


class Tail:
    """What boot found at the end of the journal."""

    def __init__(self) -> None:
        self.torn = False  # a record that was not finished stands behind the newest one, and nobody was told yet
        self.counted = False  # the newest record was counted here: no mark or header has said so yet
        self.before: tuple[int, int, int] = (0, 0, 0)  # count, sum and oldest without it
        self.covered = 0  # the newest sequence when the last mark was written
        self.looked = 0  # an earlier boot has looked at the pages up to this one: nothing new shows up there
        self.told = 0  # ... and the cashier was told about what it found torn, up to this page
        self.record = False  # a record was written last
        self.mark = bytearray()  # the mark that was written last, with nothing after it
        self.opened = False  # a header was written last
        self.copies = (
            0  # of what was written last: each by a boot, which may have left something half written behind it
        )
        self.place: tuple[int, int, int] = (-1, 0, 0)  # sector, page and cell of the mark read last
        self.end: tuple[int, int] = (1, 0)  # the last page in use, and the last cell of the marks
