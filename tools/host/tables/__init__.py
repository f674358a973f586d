# SPDX-License-Identifier: MIT
"""The tables that terminals fetch: settings, scheme keys, applications, blocked BINs."""
