"""What the user prefers: in napari's own preferences where it has a page for plugins, in a small file elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_sam2v.actions import ACTIONS
from src_model.files import replacing

if TYPE_CHECKING:
    from src_model.tracking.precision import PrecisionChoice

_logger = logging.getLogger(__name__)

PLUGIN: Final = "napari-sam2v"
DEVICES: Final = ("auto", "cuda", "mps", "cpu")
PRECISIONS: Final = ("auto", "exact", "fast")
CONTRASTS: Final = ("percentile", "limits")
SCOPES: Final = ("selected", "all")


@dataclass(frozen=True, slots=True)
class Preferences:
    """The user's settings, which hold for all movies.

    Attributes
    ----------
    model
        Name of the model that is chosen at first; empty for the one that ships with the package.
    device
        One of `DEVICES`.
    precision
        One of `PRECISIONS`: bfloat16 where the device computes it fast, float32, or bfloat16 wherever it is possible.
    contrast
        One of `CONTRASTS`: how values are stretched at first.
    follow
        Whether the viewer shows each frame as it is tracked.
    track_objects
        One of `SCOPES`: whether tracking takes the selected object or all of them.
    collect_prompts
        Whether prompts wait until the model is asked to answer them.
    repair
        Whether tracking repairs around a correction by itself.
    show_tracks
        Whether centroids are shown as tracks at first.
    autosave
        Whether work is saved by itself, so that it can be restored after a crash.
    keep_features
        Whether what the model computes of each frame is kept on disk for later sessions.
    keys
        The user's own keys by action id; others have their defaults, an empty one has none.
    """

    model: str = ""
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    contrast: str = "percentile"
    follow: bool = True
    track_objects: str = "selected"
    collect_prompts: bool = False
    repair: bool = False
    show_tracks: bool = False
    autosave: bool = True
    keep_features: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """How one preference appears in napari.

    Attributes
    ----------
    name
        Field of `Preferences`.
    section
        Under which heading.
    title, description
        What the user reads.
    choices
        What can be chosen, for texts; empty for free text.
    """

    name: str
    section: str
    title: str
    description: str
    choices: tuple[str, ...] = ()


SECTIONS: Final = {"inference": "Model", "work": "Working", "shortcuts": "Shortcuts"}
SETTINGS: Final = (
    Setting("model", "inference", "Model", "Name of the model chosen at first; empty for the one that is included."),
    Setting("device", "inference", "Device", "Where the model computes; auto takes the fastest there is.", DEVICES),
    Setting(
        "precision",
        "inference",
        "Precision",
        "Exact computes in 32 bits; fast takes 16 for the heavy parts, which may move an edge by a pixel; auto is fast "
        "where the device is made for it.",
        PRECISIONS,
    ),
    Setting(
        "keep_features",
        "inference",
        "Keep on disk what was computed",
        "What the model computed of each frame waits for your next session on the movie, which then starts at once; "
        "20 GB at most, the oldest goes first.",
    ),
    Setting("contrast", "work", "Contrast", "Stretch by the movie's percentiles or by the layer's limits.", CONTRASTS),
    Setting("follow", "work", "Follow tracking", "Show each frame as it is tracked."),
    Setting("track_objects", "work", "Track", "What tracking takes: the selected object, or all of them.", SCOPES),
    Setting(
        "collect_prompts", "work", "Collect prompts", "The model answers when you ask it to, not after each click."
    ),
    Setting("repair", "work", "Repair by itself", "Track again around each correction, without being asked."),
    Setting("show_tracks", "work", "Show tracks", "Show the centroids of objects as tracks."),
    Setting("autosave", "work", "Save by itself", "Keep a copy of the work that survives a crash."),
)


def load_preferences() -> Preferences:
    """Read the preferences; what is missing or makes no sense has its default."""
    settings = _napari_settings()
    if settings is None:
        return _checked(_read_file())
    values: dict[str, Any] = {s.name: getattr(getattr(settings, s.section, None), s.name, None) for s in SETTINGS}
    shortcuts = getattr(settings, "shortcuts", None)
    given = {action.id: getattr(shortcuts, action.id, action.key) for action in ACTIONS}
    values["keys"] = {action.id: given[action.id] for action in ACTIONS if given[action.id] != action.key}
    return _checked(values)


def save_preferences(preferences: Preferences) -> None:
    """Write the preferences.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    settings = _napari_settings()
    if settings is None:
        _write_file(preferences)
        return
    for setting in SETTINGS:
        setattr(getattr(settings, setting.section), setting.name, getattr(preferences, setting.name))
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
    after = _checked({**{s.name: getattr(before, s.name) for s in SETTINGS}, "keys": before.keys, **choices})
    if after == before:
        return
    try:
        save_preferences(after)
    except OSError as error:  # a convenience: the choice holds for this session all the same
        _logger.warning("preferences could not be written: %s", error)


def manifest_configurations() -> dict[str, Any]:
    """Give what stands in the manifest under ``configurations``; a test compares the two."""
    default = Preferences()
    sections: dict[str, Any] = {key: {"title": title, "properties": {}} for key, title in SECTIONS.items()}
    for setting in SETTINGS:
        value = getattr(default, setting.name)
        entry: dict[str, Any] = {
            "type": "boolean" if isinstance(value, bool) else "string",
            "title": setting.title,
            "description": setting.description,
            "default": value,
        }
        if setting.choices:
            entry["enum"] = list(setting.choices)
        sections[setting.section]["properties"][setting.name] = entry
    for action in ACTIONS:
        entry = {"type": "string", "title": action.title, "description": "A key such as G or Control-Shift-G."}
        sections["shortcuts"]["properties"][action.id] = {**entry, "default": action.key}
    return sections


def preferences_path() -> Path:
    """Return the file that is used where napari has no page for plugins."""
    from platformdirs import user_config_path

    return user_config_path(PLUGIN, appauthor=False) / "preferences.json"


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
    found = Preferences()
    changes: dict[str, Any] = {}
    for setting in SETTINGS:
        value = values.get(setting.name)
        default = getattr(found, setting.name)
        if type(value) is type(default) and (not setting.choices or value in setting.choices):
            changes[setting.name] = value
    keys = values.get("keys")
    if isinstance(keys, Mapping):
        known = {action.id for action in ACTIONS}
        changes["keys"] = {name: key for name, key in keys.items() if name in known and isinstance(key, str)}
    return replace(found, **changes)


def _read_file() -> Mapping[str, Any]:
    with suppress(OSError, ValueError):  # no file, or one that a person broke: the defaults do
        values = json.loads(preferences_path().read_text(encoding="utf-8"))
        if isinstance(values, Mapping):
            return values
    return {}


def _write_file(preferences: Preferences) -> None:
    path = preferences_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {setting.name: getattr(preferences, setting.name) for setting in SETTINGS}
    with replacing(path, durable=False) as part:
        part.write_text(json.dumps({**values, "keys": dict(preferences.keys)}, indent=2), encoding="utf-8")
