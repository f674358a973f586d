# SPDX-License-Identifier: MIT
"""The settlement host: it opens what terminals seal, asks the issuer, keeps the books and answers each payment once."""
