"""Training clips: a few frames and the truth of one object, from recordings, stills and simulations."""

from training_recipe.clips.clip import Clip, ClipSource
from training_recipe.clips.mixture import DEFAULT_WEIGHTS, MixtureSource, default_mixture, held_out_clips

__all__ = ["DEFAULT_WEIGHTS", "Clip", "ClipSource", "MixtureSource", "default_mixture", "held_out_clips"]
