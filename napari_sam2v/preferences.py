"""What the user prefers: in napari's own preferences where it has a page for plugins, in a small file elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from napari_sam2v.actions import ACTIONS
from napari_sam2v.view_state import CollectPrompts, Contrast, Follow, LookEvery, Repair, Scope
from src_model.files import replacing
from src_model.workflow.movie_outcome import DivisionChoice

_logger = logging.getLogger(__name__)

PLUGIN: Final = "napari-sam2v"
_MODEL: JsonDict = {"section": "inference"}
_WORK: JsonDict = {"section": "work"}
"""The section of napari's page in which a field stands."""


class Preferences(BaseModel):
    """The user's settings, which hold for all movies. ``napari.yaml`` repeats their titles and texts for napari."""

    model_config = ConfigDict(frozen=True)

    model: str = Field(
        "",
        title="Model",
        description="Name of the model chosen at first; empty for the one that is included.",
        json_schema_extra=_MODEL,
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        "auto",
        title="Device",
        description="Where the model computes; auto takes the fastest there is.",
        json_schema_extra=_MODEL,
    )
    precision: Literal["auto", "exact", "fast"] = Field(
        "auto",
        title="Precision",
        description="Exact computes in 32 bits; fast takes 16 for the heavy parts, which may move an edge by a pixel; "
        "auto is fast where the device is made for it.",
        json_schema_extra=_MODEL,
    )
    load_early: bool = Field(
        True,
        title="Load the model early",
        description="The model is loaded in the background as soon as a movie is chosen, so that the first click is "
        "answered at once; otherwise it is loaded with the first click.",
        json_schema_extra=_MODEL,
    )
    keep_features: bool = Field(
        False,
        title="Keep on disk what was computed",
        description="What the model computed of each frame waits for your next session on the movie, which then starts "
        "at once; 20 GB at most, the oldest goes first.",
        json_schema_extra=_MODEL,
    )
    contrast: Contrast = Field(
        "percentile",
        title="Contrast",
        description="Stretch by the movie's percentiles or by the layer's limits.",
        json_schema_extra=_WORK,
    )
    follow: Follow = Field(True, json_schema_extra=_WORK)
    track_objects: Scope = Field(
        "selected",
        title="Track",
        description="What tracking takes: the selected object, or all of them.",
        json_schema_extra=_WORK,
    )
    collect_prompts: CollectPrompts = Field(False, json_schema_extra=_WORK)
    repair: Repair = Field(False, json_schema_extra=_WORK)
    look_every: LookEvery = Field(5, json_schema_extra=_WORK)
    divisions: DivisionChoice = Field(
        "auto",
        title="Divisions",
        description="What Find and track all makes of divisions: marks the sure ones, asks, or ignores them.",
        json_schema_extra=_WORK,
    )
    show_tracks: bool = Field(
        False, title="Show tracks", description="Show the centroids of objects as tracks.", json_schema_extra=_WORK
    )
    autosave: bool = Field(
        True,
        title="Save by itself",
        description="Keep a copy of the work that survives a crash.",
        json_schema_extra=_WORK,
    )
    keys: dict[str, str] = Field({}, description="The user's own keys by action id; an empty one takes a key away.")


def load_preferences() -> Preferences:
    """Read the preferences; what is missing or makes no sense has its default."""
    settings = _napari_settings()
    if settings is None:
        return _checked(_read_file())
    values = {name: getattr(getattr(settings, section, None), name, None) for section, name in _entries()}
    shortcuts = getattr(settings, "shortcuts", None)
    keys = {action.id: getattr(shortcuts, action.id, action.key) for action in ACTIONS}
    chosen = {action.id: keys[action.id] for action in ACTIONS if keys[action.id] != action.key}
    return _checked({**values, "keys": chosen})


def save_preferences(preferences: Preferences) -> None:
    """Write the preferences.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    settings = _napari_settings()
    if settings is None:
        path = preferences_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as part:
            part.write_text(preferences.model_dump_json(indent=2), encoding="utf-8")
        return
    for section, name in _entries():
        setattr(getattr(settings, section), name, getattr(preferences, name))
    for action in ACTIONS:
        setattr(settings.shortcuts, action.id, preferences.keys.get(action.id, action.key))


def remember(**choices: object) -> None:
    """Write down what the user chose in the panel, so that the next one begins with it.

    Parameters
    ----------
    choices
        Values by field of `Preferences`.
    """
    before = load_preferences()
    after = _checked({**before.model_dump(), **choices})
    if after == before:
        return
    try:
        save_preferences(after)
    except OSError as error:  # a convenience: the choice holds for this session all the same
        _logger.warning("preferences could not be written: %s", error)


def preferences_path() -> Path:
    """Return the file that is used where napari has no page for plugins."""
    from platformdirs import user_config_path

    return user_config_path(PLUGIN, appauthor=False) / "preferences.json"


def _entries() -> Iterator[tuple[str, str]]:
    """Yield section and name of all fields but the keys, which are a section of their own."""
    for name, field in Preferences.model_fields.items():
        if isinstance(field.json_schema_extra, dict):
            yield str(field.json_schema_extra["section"]), name


def _napari_settings() -> Any:
    """Return napari's settings of this plugin (0.9 and later), None where there are none."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return None
    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:  # the manifest has no configurations, or the plugin is disabled
        return None


def _checked(values: Mapping[str, Any]) -> Preferences:
    found: dict[str, Any] = {}
    for _, name in _entries():
        with suppress(KeyError, ValidationError):
            found[name] = getattr(Preferences.model_validate({name: values[name]}, strict=True), name)
    keys = values.get("keys")
    if isinstance(keys, Mapping):
        known = {action.id for action in ACTIONS}
        found["keys"] = {name: key for name, key in keys.items() if name in known and isinstance(key, str)}
    return Preferences(**found)


def _read_file() -> Mapping[str, Any]:
    with suppress(OSError, ValueError):  # no file, or one that a person broke: the defaults do
        values = json.loads(preferences_path().read_text(encoding="utf-8"))
        if isinstance(values, Mapping):
            return values
    return {}
