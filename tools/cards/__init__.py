# SPDX-License-Identifier: MIT
"""Virtual EMV cards for tests, the demo and the panel. Test tools only, not meant for real cards."""
