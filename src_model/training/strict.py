"""Dataclasses that are read from files refuse what they do not know."""

from __future__ import annotations

from pydantic import ConfigDict, with_config

strict = with_config(ConfigDict(extra="forbid"))
"""Decorates a dataclass so that pydantic refuses unknown keys."""
