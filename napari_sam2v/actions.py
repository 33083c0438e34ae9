"""Everything that a key or a button of the panel does: one table for panel, keys and preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PanelAction:
    """Something that can be done from the panel and by a key.

    Attributes
    ----------
    id
        Id of the action, as in the preferences and in ``napari.yaml``.
    title
        What the action does, as the user reads it.
    group
        Under which heading it is listed.
    key
        The default, as napari writes keys, such as ``"Control-Shift-Z"``; empty for none.
    """

    id: str
    title: str
    group: str
    key: str = ""


ACTIONS = (
    PanelAction("point_positive", "Click what belongs to the object", "Prompts", "J"),
    PanelAction("point_negative", "Click what does not belong to it", "Prompts", "K"),
    PanelAction("scribble", "Draw a line through the object", "Prompts", "Shift-U"),
    PanelAction("box", "Draw a box around the object", "Prompts", "H"),
    PanelAction("lasso", "Outline the object", "Prompts", "Shift-H"),
    PanelAction("paint", "Paint the object", "Prompts", "Shift-J"),
    PanelAction("next_mask", "Next mask for an ambiguous click", "Prompts", "Q"),
    PanelAction("answer", "Let the model answer the waiting prompts", "Prompts", "8"),
    PanelAction("clear_frame", "Remove the prompts of this frame", "Prompts", "Shift-Q"),
    PanelAction("undo", "Undo", "Prompts", "Control-Z"),
    PanelAction("redo", "Redo", "Prompts", "Control-Shift-Z"),
    PanelAction("find_all", "Find every object of this frame; again: stop", "Prompts"),
    PanelAction("next_object", "Start the next object", "Objects", "N"),
    PanelAction("previous_object", "Back to the previous object", "Objects", "Shift-N"),
    PanelAction("toggle_masks", "Hide or show the masks", "Objects", "0"),
    PanelAction("show_plots", "Open the plots of the selected objects", "Objects"),
    PanelAction("worst_frame", "Jump to the worst frame", "Frames", "W"),
    PanelAction("lock_frame", "Lock or unlock this frame", "Frames", "Shift-W"),
    PanelAction("previous_prompt", "Jump to the previous prompted frame", "Frames", ","),
    PanelAction("next_prompt", "Jump to the next prompted frame", "Frames", "."),
    PanelAction("review_next", "Go to the next doubtful place, the worst first", "Review", "9"),
    PanelAction("review_previous", "Go back to the doubtful place before", "Review", "Alt-9"),
    PanelAction("review_accept", "It is right: lock it and do not ask again", "Review", "Alt-Y"),
    PanelAction("review_reject", "It is wrong: remove these masks, or decline the division", "Review", "Alt-X"),
    PanelAction("track_forward", "Track forward; again: stop", "Track", "G"),
    PanelAction("track_backward", "Track backward", "Track", "Shift-G"),
    PanelAction("track_both", "Track both ways", "Track", "Alt-G"),
    PanelAction("track_all", "Find and track all; again: stop", "Track"),
    PanelAction("stop", "Stop, keeping the finished frames", "Track", "Shift-K"),
    PanelAction("repair", "Repair around this frame", "Track", "U"),
    PanelAction("show_lineage", "Open the lineage", "Lineage"),
    PanelAction("mark_division", "Mark a division: the selected mother and daughters", "Lineage", "Alt-N"),
    PanelAction("mark_fusion", "Mark a fusion: the selected objects became one", "Lineage", "Alt-U"),
    PanelAction("join_tracks", "Join the selected tracks into one", "Lineage", "Alt-J"),
    PanelAction("cut_track", "Cut the selected track before this frame, or an edge", "Lineage", "Alt-K"),
)
"""All actions with the keys they have unless the user chose others; letters are those that napari leaves free."""

DEFAULT_KEYS: Mapping[str, str] = {action.id: action.key for action in ACTIONS}
"""Default keys by action id."""
