"""Packages whose names are imported when first used, so that what needs no torch stays without it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def importer(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """Make a module's ``__getattr__`` (PEP 562).

    Parameters
    ----------
    package
        ``__name__`` of the module.
    homes
        Public names by the module that holds them.
    """
    places = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return get
