"""Taking changes over as they come from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.actions.base import Plan

if TYPE_CHECKING:
    from src_model.document.patch import Patch
    from src_model.document.state import State


@dataclass(frozen=True, slots=True)
class ApplyPatch:
    """Give cells the values that they have elsewhere, locked ones too.

    Attributes
    ----------
    label
        What the step is called.
    patch
        The new values.
    """

    label: str
    patch: Patch

    def plan(self, state: State) -> Plan:
        """Take them all; what does not fit the document is an error when it is done."""
        return Plan(self.patch)
