# SPDX-License-Identifier: MIT
"""The menu as a tree: which entries each menu has, by how often a shop needs them, and the flow behind each entry.

One string, read a line at a time, because a dict takes heap. A menu has at most seven entries, each chosen by one digit.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.flows.session import Flow

# A menu: its text key, a colon, its entries. An entry: its text key, the module below kassa.flows and the function in it.
TREE = """
menu: pay money_back preauths find day_end device staff
pay: sale qr_scan qr_show cash tip voice balance
money_back: void refund adjust
preauths: preauth completion preauth_cancel
find: last reprint query queue refused_list limits
query: find_amount find_card find_date find_state find_trace
day_end: totals detail settle
device: change_language brightness sound network printer_set_up selftest about
network: wifi_join network_test echo
staff: log_out shift own_code supervisor administrator
supervisor: operators reset_cashier lock clear_reversal new_batch parameters sign_off
administrator: add_operator remove_operator reset_code export_log
sale idle.sell sell
qr_scan sale.qr scan
qr_show sale.qr show
cash sale.cash cash
tip reverse.adjust tip
voice sale.voice voice
balance sale.balance balance
void reverse.void void
refund reverse.refund refund
adjust reverse.adjust adjust
preauth sale.preauth preauth
completion sale.preauth complete
preauth_cancel sale.preauth cancel
last find.payment last
reprint find.payment reprint
find_amount find.query by_amount
find_card find.query by_card
find_date find.query by_date
find_state find.query by_state
find_trace find.query by_trace
queue batch.pending show
refused_list batch.pending refused
limits find.limits limits
totals find.totals totals
detail find.batch_list batch_list
settle batch.settle settle
change_language manage.language switch
printer_set_up manage.printer set_up
about manage.about about
brightness manage.comfort brightness
sound manage.comfort sound
selftest manage.selftest selftest
wifi_join manage.wifi_join join
network_test manage.network_test test
echo manage.echo_test echo
log_out staff.shift log_out
shift staff.shift change
own_code staff.own_code change
operators staff.operators show
reset_cashier staff.operators reset_cashier
lock staff.lock lock
clear_reversal staff.supervise reversal
new_batch staff.supervise new_batch
parameters staff.supervise parameters
sign_off staff.supervise sign_off
add_operator staff.operators add
remove_operator staff.operators remove
reset_code staff.operators reset
export_log staff.export export
"""


def entries(menu: str) -> list:
    """The text keys of the entries of a menu; empty if `menu` is none."""
    return _rest(menu + ":").split()


def flow(entry: str) -> "Flow":
    """The flow behind an entry, loaded now."""
    module, name = _rest(entry).split()
    return getattr(__import__("kassa.flows." + module, None, None, (name,)), name)


def _rest(begin: str) -> str:
    """What follows the first word `begin` in its line, "" if there is no such line."""
    start = TREE.find("\n%s " % begin)
    return TREE[start + len(begin) + 2 : TREE.find("\n", start + 1)] if start >= 0 else ""
