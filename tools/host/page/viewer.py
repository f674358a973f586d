# SPDX-License-Identifier: MIT
"""Who looks at the pages, and what the role allows."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.sql.elements import KeyedColumnElement

from tools.host.store.schema import terminal

MERCHANT, OPERATOR, AUDITOR, ADMINISTRATOR = "merchant", "operator", "auditor", "administrator"
ROLES = (MERCHANT, OPERATOR, AUDITOR, ADMINISTRATOR)


class Viewer(NamedTuple):
    """A user who is logged in. `mid`: the only merchant whose data they see; "" = all."""

    mid: str
    name: str
    role: str

    @property
    def may_read_audit(self) -> bool:
        return self.role != MERCHANT

    @property
    def may_work(self) -> bool:
        """Clear a quarantine, settle or refuse what is held, explain differences, get payment files."""
        return self.role in (OPERATOR, ADMINISTRATOR)

    @property
    def may_rule(self) -> bool:
        """Users, and blocking of terminals."""
        return self.role == ADMINISTRATOR

    def sees(self, mid: KeyedColumnElement[str]) -> ColumnElement[bool]:
        """The rows that this viewer may see, as a condition. `mid`: the table's column."""
        return mid == self.mid if self.role == MERCHANT else true()

    def merchants(self) -> Select[tuple[str]]:
        """The merchants that this viewer may see, so that an index that begins with `mid` serves both cases."""
        return select(terminal.c.mid).where(self.sees(terminal.c.mid)).distinct()
