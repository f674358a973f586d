# SPDX-License-Identifier: MIT
"""Whether tests that can try more cases than fit into `make test` try all of them: KASSA_LONG=1, see `make long`."""

import os

import pytest

LONG = bool(os.environ.get("KASSA_LONG"))
long_only = pytest.mark.skipif(not LONG, reason="takes long: make long")
