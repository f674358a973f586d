# SPDX-License-Identifier: MIT
"""The settlement host: opens sealed records, asks the issuer, keeps the books and answers each payment once."""
