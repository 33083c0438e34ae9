"""Several actions as one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.actions.base import Action, Plan
from src_model.document.patch import in_order

if TYPE_CHECKING:
    from src_model.document.state import State


@dataclass(frozen=True, slots=True)
class Group:
    """Do several actions, each on what the one before it left, as one step: all of them or none.

    Attributes
    ----------
    label
        What the step is called.
    actions
        In order; may hold groups.
    """

    label: str
    actions: tuple[Action, ...]

    def plan(self, state: State) -> Plan:
        """Plan all actions; the first that cannot be done raises its error and nothing changes."""
        if len(self.actions) == 1:
            return self.actions[0].plan(state)
        plans = []
        with state.trial():
            for action in self.actions:
                plan = action.plan(state)
                state.try_patch(plan.patch)
                plans.append(plan)
        return Plan(in_order([plan.patch for plan in plans]), tuple(item for plan in plans for item in plan.skipped))
