"""Names of units."""

from __future__ import annotations

import pytest

from src_model.document.units import space_unit, time_unit


@pytest.mark.parametrize(
    "name", ["micrometer", "Micrometers", "um", "µm", "\N{GREEK SMALL LETTER MU}m", "micron", " microns"]
)
def test_a_micrometer_has_many_spellings(name):
    assert space_unit(name) == ("micrometer", "µm")


@pytest.mark.parametrize(
    ("name", "symbol"), [("s", "s"), ("seconds", "s"), ("ms", "ms"), ("min", "min"), ("hours", "h")]
)
def test_times_are_known(name, symbol):
    assert time_unit(name).symbol == symbol


@pytest.mark.parametrize("name", ["", "pixel", "frame", "furlong", "s", "min"])
def test_what_is_no_length_is_none(name):
    assert space_unit(name) is None
