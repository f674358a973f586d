# SPDX-License-Identifier: MIT
"""Why a connection failed. In memory only after a failure."""

from micropython import const

_ALERT = const(-0x7780)  # MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
_END = const(-0x7280)  # MBEDTLS_ERR_SSL_CONN_EOF, within the handshake: some servers refuse without an alert
_NOT_TLS = (-0x7200, -0x7100)  # MBEDTLS_ERR_SSL_INVALID_RECORD, .._BAD_INPUT_DATA: what a login page's HTML gives
# What Mbed TLS says about the host's certificate (x509_crt.c), and the cause. It may say several: the first one counts.
_WORDS = (("CA", "issuer"), ("expired", "over"), ("future", "early"), ("CN", "name"))


def of(error: Exception, stage: str, heard: bool) -> str:
    """LinkError.cause. Mbed TLS has words for certificates and negative numbers for the rest; lwIP has errno.

    `stage`: the cause if the error does not tell, see TlsChannel. `heard`: whether the host has sent anything.
    """
    if isinstance(error, ValueError):
        message = str(error)
        for word, cause in _WORDS:
            if word in message:
                return cause
    elif isinstance(error, OSError) and stage == "silent":
        number = error.errno
        if number == _ALERT:
            return "refused"
        if number == _END and not heard:
            return "closed"
        if number in _NOT_TLS:
            return "strange"
        if isinstance(number, int) and number > 0 and not heard:
            return "host"  # TCP's: a connection that fails shows it only when TLS first uses it
    return stage
