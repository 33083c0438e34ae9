"""What the options of a training may be: ranges of numbers, and dataclasses that refuse unknown entries.

Only files need these checks (TOML, read through pydantic); code that makes the dataclasses itself is checked by types.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, with_config

Share = Annotated[float, Field(ge=0, le=1)]
"""A share or a probability, 0 to 1."""

Rate = Annotated[float, Field(ge=0)]
"""A factor or a weight, 0 or more."""

Count = Annotated[int, Field(ge=1)]
"""A number of things, 1 or more."""

strict = with_config(ConfigDict(extra="forbid"))
"""Decorates a dataclass so that pydantic refuses keys that are no field; without it a misspelled entry is ignored."""
