"""Labelled movies: many layouts of folders behind one protocol, read lazily; no torch."""

from src_model.datasets.movie import Dataset, Kind, LabelledMovie
from src_model.datasets.opening import LAYOUTS, STILLS_HELD_OUT, open_dataset, recognised_layout, split_by_name
from src_model.datasets.pairs import pair

__all__ = [
    "LAYOUTS",
    "STILLS_HELD_OUT",
    "Dataset",
    "Kind",
    "LabelledMovie",
    "open_dataset",
    "pair",
    "recognised_layout",
    "split_by_name",
]
