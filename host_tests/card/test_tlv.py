# SPDX-License-Identifier: MIT
"""BER-TLV and data object lists on every interpreter: valid and malformed input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tests.harness.in_micropython.runner import InsideError

Cases = Callable[..., Any]

FCI = "6f1a840e315041592e5359532e4444463031a5088801025f2d02656e"
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_objects_are_returned_in_order(cases: Cases) -> None:
    assert cases("card", "walk", FCI) == [
        [0, "6F", ""],
        [1, "84", "315041592e5359532e4444463031"],
        [1, "A5", ""],
        [2, "88", "02"],
        [2, "5F2D", "656e"],
    ]


@pytest.mark.parametrize(
    "data",
    [
        FCI + "00",  # padding after the object
        "9c80",  # indefinite length
        "9c8500000000ff",  # five length bytes
        "9c84ffffffff00",
        "9f",  # tag cut short
        "9f8181810100",  # tag of four bytes
        "9c",
        "9c8200",
        "9c0200",
        "e0019f0001ff",  # tag runs beyond its template
        "e0039c8101c001ff",  # value runs beyond its template
        "e0" * 1 + "0e" + "e00c" + "e00a" + "e008" + "e006" + "e004" + "e002" + "9c00",  # eight levels deep
        "9c00" * 97,  # more objects than allowed
    ],
)
def test_malformed_trees_are_card_errors(cases: Cases, data: str) -> None:
    with pytest.raises(InsideError) as refused:
        cases("card", "walk", data)
    assert refused.value.kind == "CardError"


def test_published_cases_have_the_published_results(cases: Cases, published: Path) -> None:
    """One case is left out: only pyemv reads 9C80 as a length of zero."""
    vectors = json.loads((published / "tlv" / "tlv_vectors.json").read_text())
    vectors = [vector for vector in vectors if vector["hex"] != "9C80" and "parse_multi" not in vector["src"]]
    assert len(vectors) > 20
    for vector in vectors:
        if vector["ok"]:
            found = cases("card", "walk", vector["hex"])
            for tag, value in vector.get("value", {}).items():
                if isinstance(value, str):
                    assert [0, tag, value.lower()] in found
            if "find" in vector:
                assert sum(tag == vector["find"] for _, tag, _ in found) == vector["count"]
        else:
            with pytest.raises(InsideError, match="CardError"):
                cases("card", "walk", vector["hex"])


@QUIET
@given(data=st.binary(max_size=258))
def test_any_bytes_are_a_tree_or_a_card_error(cases: Cases, data: bytes) -> None:
    try:
        cases("card", "walk", data.hex())
    except InsideError as refused:
        assert refused.kind == "CardError"  # noqa: PT017


KNOWN = "9f0206000000012345" + "9a03261123" + "9f6604" + "20804000" + "9f4e03" + "4b6173"


@pytest.mark.parametrize(
    ("dol", "values"),
    [
        ("", ""),
        ("9f0206", "000000012345"),
        ("9f0204", "00012345"),  # numbers are cut or padded on the left
        ("9f0208", "0000000000012345"),
        ("9f6602", "2080"),  # all other values on the right
        ("9f6606", "208040000000"),
        ("9f4e05", "4b61730000"),
        ("df810102", "0000"),  # unknown tag: zeros
        ("a50200", "0000"),  # a constructed object is zeros
        ("9a039f66049f1a02", "261123208040000000"),
    ],
)
def test_a_dol_is_filled(cases: Cases, dol: str, values: str) -> None:
    if dol == "a50200":
        dol = "a502"
    assert cases("card", "fill", dol, KNOWN) == values


@pytest.mark.parametrize("dol", ["9f02", "9f", "9f02fd", "9a7f9a7f", "009a"])
def test_bad_dols_are_card_errors(cases: Cases, dol: str) -> None:
    with pytest.raises(InsideError, match="CardError"):
        cases("card", "fill", dol, KNOWN)


@QUIET
@given(dol=st.binary(max_size=64))
def test_any_dol_is_filled_or_a_card_error(cases: Cases, dol: bytes) -> None:
    try:
        assert len(cases("card", "fill", dol.hex(), KNOWN)) <= 2 * 252
    except InsideError as refused:
        assert refused.kind == "CardError"  # noqa: PT017
