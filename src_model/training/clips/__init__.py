"""Training clips: a few frames and the truth of one object, from recordings, stills and simulations."""

from src_model.training.clips.clip import Clip, ClipSource
from src_model.training.clips.mixture import DEFAULT_WEIGHTS, MixtureSource, default_mixture, held_out_clips

__all__ = ["DEFAULT_WEIGHTS", "Clip", "ClipSource", "MixtureSource", "default_mixture", "held_out_clips"]
