# SPDX-License-Identifier: MIT
"""`make day`: a day in a shop, from the first sign-on to the second settlement, with every transaction keyed in.

The cashier keeps a tally from the screens. At the end it is compared with journal, receipts, slips and host ledger.
"""

import datetime
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import select

from tools.cards.catalogue import CATALOGUE
from tools.cashier import CODE as SUPERVISOR
from tools.demo import agreement
from tools.demo.agreement import CASH_BACK, CODE, CODE_BACK, DEBIT, DECLINED, HOST, REVERSED, TILL, in_words, money
from tools.demo.shopkeeper import Shopkeeper, on_paper
from tools.host.operations import backup
from tools.host.store.schema import payment
from tools.host.store.sums import total
from tools.host.tables import publication
from tools.host.tables.terminal_settings import OfflineApproval, Settling
from tools.provision.device import Terminal
from tools.sim.host import Host
from tools.sim.issuer import CREDIT_LINE
from tools.whole_system import WholeSystem
from tools.world import interpreter

# No random selection: the same card is approved offline in every run.
TERMINAL = Terminal(language="en", supervisor_code=SUPERVISOR, approval=OfflineApproval(target=0, most=0))
CUTS = 2
SETTLING = 0x12  # number of the setting with the daily settlement time
_SETTLES_IN = datetime.timedelta(minutes=10)  # far enough ahead that no later batch reaches this time
_WORDS = b"of the day in a shop"  # passphrase of the backup
_TEAR = "prefix:112"  # the record's header is written, its seal is not


class Day(Shopkeeper):
    """The scenes of the day. Each leaves the terminal on its home page.

    `spare`: the URL of an empty PostgreSQL database for the host's second life; "": its database is a file.
    """

    def __init__(self, system: WholeSystem, spare: str = "") -> None:
        super().__init__(system)
        self._spare = spare
        self._balances: list[agreement.Row] = []
        self._reference = self._held_code = ""
        self._backup = system.home / "backup.khb"

    def scenes(self) -> list[Callable[[], None]]:
        """The scenes in order. The first line of a scene's docstring is its title."""
        return [
            self.sign_on, self.sales, self.a_tip, self.a_void, self.pre_authorisations, self.refunds, self.balance,
            self.codes, self.cash, self.declined, self.outage, self.cut_in_the_outage, self.network_returns,
            self.cut_online, self.settle_by_itself, self.refused_later, self.refund_of_another_batch,
            self.backup, self.host_loses_payments, self.settle_with_upload,
        ]  # fmt: skip

    # -- morning ----------------------------------------------------------------------------------------------------

    def sign_on(self) -> None:
        """The shop opens: the terminal signs on"""
        super().sign_on()
        self.home()

    def sales(self) -> None:
        """Three sales online"""
        self._reference = on_paper("Reference", self.sell(5000, "jade"))
        self.sell(1250, "amber")
        self.sell(48_005, "plum")

    def a_tip(self) -> None:
        """A sale, then a tip on it"""
        self.sell(8000, "coral")
        self.tip_newest(1000)

    def a_void(self) -> None:
        """A sale that is voided"""
        self.sell(3000, "ink")
        self.void_newest()

    def pre_authorisations(self) -> None:
        """Pre-authorisations: one completed, voided and completed again; one cancelled; one kept for later"""
        code = self.pre_authorise(10_000, "lotus")
        self.complete(11_500, "lotus", code)
        self.void_newest()
        self.complete(9000, "lotus", code)
        code = self.pre_authorise(20_000, "amber")
        self.menu("preauth_cancel")
        self.type_in("Pre-authorised amount", "20000")
        self.type_in("Authorisation code", code)
        self.supervise()
        self.tap("amber")
        self.end("Voided", None)
        self._held_code = self.pre_authorise(15_000, "coral")

    def refunds(self) -> None:
        """Refunds: part of a payment by its reference, and one without a reference"""
        self.refund(2000, self._reference, "jade")
        self.refund(700, "", "bamboo")

    def balance(self) -> None:
        """A balance inquiry"""
        self.menu("balance")
        self.tap("jade")
        shown = self.amount_on(self.page("Balance"))
        self.world.remove()
        self.home()
        pan = CATALOGUE["jade"].pan
        mine = payment.c.state == "APPROVED", payment.c.first6 == pan[:6], payment.c.last4 == pan[-4:]
        with self.system.host.ledger.read() as db:
            left = CREDIT_LINE - db.execute(select(total(payment.c.worth)).where(*mine)).scalar_one()
        self._balances.append(agreement.Row("balance of a card", {TILL: in_words(shown), HOST: in_words(left)}))

    def codes(self) -> None:
        """Code payments: customer's code, one confirmed on the phone, merchant's code; a partial refund and a void"""
        reference = on_paper("Reference", self.customers_code(990, "134567890123456788"))
        self.customers_code(1990, "283456789012345655")
        self.void_newest("Refunded", CODE_BACK)
        self.refund_code(400, reference)
        self.menu("qr_show")
        self.type_in("Pay by code: amount", "505")
        self.world.wait_screen("Please scan")
        self.end("Paid", CODE)

    def cash(self) -> None:
        """Cash sales, one of them voided, and a cash refund without a sale"""
        self.cash_sale(1250)
        self.cash_sale(1600)
        self.void_newest("Cash returned", CASH_BACK)
        self.refund_cash(300)

    def declined(self) -> None:
        """A sale declined by the issuer, and a refund of more than the remaining amount"""
        self.system.host.mood = "decline 51"
        self.sell(77_700, "pearl", "Declined", DECLINED)
        self.system.host.mood = "normal"
        self.refund(3001, self._reference, "jade", "Declined", DECLINED)

    # -- trouble ----------------------------------------------------------------------------------------------------

    def outage(self) -> None:
        """No network: deferred sales, an offline approval, a voice sale and its adjustment, completion advice, cash"""
        self.go_offline()
        for amount, card in ((2000, "amber"), (3550, "ink"), (995, "lotus")):
            self.sell(amount, card, "Accepted, to be authorised")
        self.sell(4500, "quartz", "Approved offline")
        self.menu("voice")
        self.type_in("Voice sale: amount", "4000")
        self.type_in("Code from the phone", "123456")
        self.tap("jade")
        self.end("Accepted", DEBIT)
        self.menu("adjust")
        self.agree_to("Adjust a voice sale")
        self.type_in("Right amount", "4510")
        self.agree_to("Change the amount?")
        self.supervise()
        self.amount_changed()
        self.complete(14_000, "coral", self._held_code, by_advice=True)
        self.cash_sale(880)

    def cut_in_the_outage(self) -> None:
        """A power cut while a deferred sale is being written: the terminal reports it as not taken"""
        self.world.run_for(9000)  # the terminal derives its next keys first, so that only the sale writes
        self.world.cut_at(1, _TEAR)
        self.present(4725, self.card("bamboo"))
        self.after_the_cut("Not taken")
        self.home()

    def network_returns(self) -> None:
        """The network is back: every deferred payment is sent"""
        self.drain()
        self.world.wait_screen("Online", 30)

    def cut_online(self) -> None:
        """A power cut between the host's approval and its mark: the sale is reversed"""
        self.world.run_for(9000)
        self.world.cut_at(2, "half")
        at = datetime.datetime.now() + _SETTLES_IN
        daily = Settling(at.hour * 60 + at.minute)
        self.system.host.tables.publish(publication.PARAMETERS, publication.parameters({SETTLING: daily.pack()}))
        self.present(6625, self.card("maple"))
        lines = self.after_the_cut("eversal pending", "Reversed")
        self.tally.add(self.batch, REVERSED, self.amount_on(lines))
        self.home()
        self.world.wait(lambda: not self.sees("eversal") and self.sees("Online"), "the reversal's answer", 60)

    def settle_by_itself(self) -> None:
        """The terminal settles the batch automatically at the set time"""
        self.settle(by_hand=False)

    # -- afternoon --------------------------------------------------------------------------------------------------

    def refused_later(self) -> None:
        """A deferred sale that the issuer declines afterwards"""
        self.go_offline()
        self.sell(2600, "pearl", "Accepted, to be authorised")
        self.system.host.mood = "decline 51"
        self.drain()
        self.world.wait_screen("1 refused later", 30)
        self.system.host.mood = "normal"
        amount = money(next(line for line in self.drawn() if "Refused later" in line))
        self.tally.add(self.batch, DEBIT, -amount, -1)
        self.tally.add(self.batch, DECLINED, amount)
        papers = len(self.world.receipts)
        self.menu("reprint")  # reprints the receipt, now with the outcome
        self.world.wait(lambda: len(self.world.receipts) > papers, "the receipt")
        self.home()

    def refund_of_another_batch(self) -> None:
        """A refund of a sale from the previous batch"""
        self.refund(1000, self._reference, "jade")

    def backup(self) -> None:
        """The host's database is backed up"""
        backup.save(self.system.host.ledger, self._backup, _WORDS)

    def host_loses_payments(self) -> None:
        """The host takes a sale, its tip, a code payment and cash, then loses its disk and restarts from the backup"""
        self.sell(3305, "plum")
        self.tip_newest(600)
        self.customers_code(1525, "6234567890123456788")
        self.cash_sale(1115)
        self.world.wait_screen("All sent")
        before = self.system.host
        before.stop()
        for file in before.home.glob("host.db*"):
            file.unlink()
        where = self._spare or before.ledger.path
        backup.restore(self._backup, _WORDS, where, lambda ledger: 0)
        self.system.host = Host(before.home, db=where, port=before.port, wire_log=self.system.home / "wire.log").start()
        self.world.run_for(10_000)  # the idle terminal notices that its connection has ended
        self.sell(640, "amber")

    def settle_with_upload(self) -> None:
        """The batch is settled: totals differ, every record is uploaded, and host and terminal agree"""
        self.settle("Not balanced", "Differences sent")

    def agree(self) -> agreement.Agreement:
        """Compare tally, journal, receipts, slips and ledger."""
        self.journals.read()
        papers = [receipt.text() for receipt in self.world.receipts]
        found = agreement.compare(self.tally, self.journals, papers, self.system.host.ledger, CUTS)
        found.rows += self._balances
        return found


@click.command()
def main() -> None:
    """Play the day. Exit with 0 only if till, journal, receipts, slips and ledger agree to the cent."""
    interpreter.require()
    with tempfile.TemporaryDirectory(prefix="kassa-day-") as home, WholeSystem(Path(home), terminal=TERMINAL) as system:
        day = Day(system)
        for number, scene in enumerate(day.scenes(), 1):
            scene()
            click.echo(f"{number:2}. {(scene.__doc__ or '').splitlines()[0]}")
        found = day.agree()
    click.echo("\n".join(["", *found.table(), "", "all agree to the cent" if found.agrees else "they differ"]))
    sys.exit(0 if found.agrees else 1)


if __name__ == "__main__":
    main()
