# SPDX-License-Identifier: MIT
"""The real LNbits server that tests of Lightning run beside the simulated one; see tools/sim/wallets/lnbits_server.py."""

from tools.sim.wallets.lnbits_server import PRICE, PYTHON, RealServer, lacking

__all__ = ["PRICE", "PYTHON", "RealServer", "lacking"]
