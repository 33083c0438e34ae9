"""Names of units: whatever a person or a program calls them, and what file formats do.

Full names in the singular, such as ``"micrometer"`` and ``"second"``, are those of OME-Zarr and GEFF; OME-TIFF and
ImageJ take symbols.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit that file formats know.

    Attributes
    ----------
    name
        In full and in the singular: ``"micrometer"``.
    symbol
        As OME-TIFF writes it: ``"µm"``.
    """

    name: str
    symbol: str


_SPELLINGS: Final[dict[Unit, tuple[str, ...]]] = {
    Unit("angstrom", "Å"): ("angstrom", "å"),
    Unit("picometer", "pm"): ("picometer", "picometre", "pm"),
    Unit("nanometer", "nm"): ("nanometer", "nanometre", "nm"),
    Unit("micrometer", "µm"): (
        "micrometer",
        "micrometre",
        "micron",
        "um",
        "\N{MICRO SIGN}m",
        "\N{GREEK SMALL LETTER MU}m",
    ),
    Unit("millimeter", "mm"): ("millimeter", "millimetre", "mm"),
    Unit("centimeter", "cm"): ("centimeter", "centimetre", "cm"),
    Unit("meter", "m"): ("meter", "metre", "m"),
    Unit("inch", "in"): ("inch", "in"),
}
_TIMES: Final[dict[Unit, tuple[str, ...]]] = {
    Unit("nanosecond", "ns"): ("nanosecond", "ns"),
    Unit("microsecond", "µs"): ("microsecond", "us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s"),
    Unit("millisecond", "ms"): ("millisecond", "ms", "msec"),
    Unit("second", "s"): ("second", "s", "sec"),
    Unit("minute", "min"): ("minute", "min"),
    Unit("hour", "h"): ("hour", "h", "hr"),
    Unit("day", "d"): ("day", "d"),
}
_SPACE: Final = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_TIME: Final = {spelling: unit for unit, spellings in _TIMES.items() for spelling in spellings}
COUNTS: Final = frozenset({"", "pixel", "px", "frame", "frames", "pixels", "dimensionless"})
"""Names that say no more than that the numbers count frames or pixels."""


def space_unit(name: str) -> Unit | None:
    """Find a unit of length; None if this names none that file formats know."""
    return _found(name, _SPACE)


def time_unit(name: str) -> Unit | None:
    """Find a unit of time; None if this names none that file formats know."""
    return _found(name, _TIME)


def _found(name: str, table: dict[str, Unit]) -> Unit | None:
    plain = name.strip().lower()
    return table.get(plain) or table.get(plain.removesuffix("s"))
