# SPDX-License-Identifier: MIT
"""The host's key derivation against the published vectors of ANSI X9.24-3."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from host_tests.harness.host import terminal
from tools.host.keys import dukpt

BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
IKID = bytes.fromhex("1234567890123456")
# counter: transaction key, MAC generation key, data encryption key; from the tables of the X9.24-3 supplement
PUBLISHED = {
    0x00000001: (
        "4F21B565BAD9835E112B6465635EAE44",
        "A2DC23DE6FDE0824A2BC321E08E4B8B7",
        "A35C412EFD41FDB98B69797C02DCD08F",
    ),
    0x00000002: (
        "2F34D68DE10F68D38091A73B9E7C437C",
        "484C3B06E8562704528CD5B46FB12FB6",
        "D639514AA33AC43AD9229E433D6D4E5B",
    ),
    0x00000003: (
        "031504E530365CF81264238540518318",
        "A5DF7D9D800CA769766F0C77CA4E6E6C",
        "EF17F6AB45B4820C93A3DCB21BC491AD",
    ),
}
TRANSACTION_KEYS = {
    0x00000008: "718EE6CF0B27E53D5F7AF99C4D8146A2",
    0x0001FFFE: "E21E8C8D347F8561A2BE752DAA85A111",
    0x00020000: "F7AE9025468A25D37B7249CFFED224C8",
    0xFFFF0000: "F6BA59389BD14A9855BE9727E7C52E3C",
}
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "aes_dukpt.json"


def ksn(counter: int) -> bytes:
    return IKID + counter.to_bytes(4, "big")


def test_the_initial_key_is_the_published_one() -> None:
    assert dukpt.initial_key(BDK, IKID).hex().upper() == "1273671EA26AC29AFA4D1084127652A1"


@pytest.mark.parametrize("counter", PUBLISHED)
def test_working_keys_are_the_published_ones(counter: int) -> None:
    keys = (
        dukpt.transaction_key(BDK, IKID, counter),
        dukpt.working_key(BDK, ksn(counter), dukpt.MAC_GENERATE),
        dukpt.working_key(BDK, ksn(counter), dukpt.DATA_ENCRYPT),
    )
    assert tuple(key.hex().upper() for key in keys) == PUBLISHED[counter]


@pytest.mark.parametrize("counter", TRANSACTION_KEYS)
def test_transaction_keys_are_the_published_ones(counter: int) -> None:
    assert dukpt.transaction_key(BDK, IKID, counter).hex().upper() == TRANSACTION_KEYS[counter]


def test_counters_with_more_than_16_one_bits_are_invalid() -> None:
    assert [dukpt.is_counter(n) for n in (0, 1, 0x1FFFE, 0x1FFFF, 0xFFFF0000, 0xFFFF0001)] == [
        False, True, True, False, True, False,
    ]  # fmt: skip


def test_the_test_terminal_derives_the_same_keys() -> None:
    for counter in (1, 7, 0x3FF, 0x0001FFFE):
        for usage in (dukpt.MAC_GENERATE, dukpt.MAC_VERIFY, dukpt.MAC_BOTH_WAYS, dukpt.DATA_ENCRYPT):
            assert terminal.derive(usage, counter) == dukpt.working_key(BDK, ksn(counter), usage)


def test_the_cmac_of_the_supplement_is_reproduced() -> None:
    cmac = CMAC(algorithms.AES(dukpt.working_key(BDK, ksn(1), dukpt.MAC_GENERATE)))
    cmac.update(b"4012345678909D987")
    assert cmac.finalize().hex().upper() == "A2EB5C1C35809E58404E873C3C411E31"


@pytest.mark.skipif(not VECTORS.exists(), reason="the larger vector file is not part of the repository")
def test_every_vector_of_the_larger_file_is_reproduced() -> None:
    vectors = json.loads(VECTORS.read_text())
    names = {"mac_gen": dukpt.MAC_GENERATE, "mac_ver": dukpt.MAC_VERIFY, "data_enc": dukpt.DATA_ENCRYPT}
    checked = 0
    for row in vectors["keys"]:
        for name, usage in names.items():
            assert dukpt.working_key(BDK, IKID + bytes.fromhex(row["tc"]), usage).hex() == row[name]
            checked += 1
    assert checked == 3 * len(vectors["keys"]) > 0
