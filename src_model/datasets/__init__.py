"""Labelled movies: many layouts of folders behind one protocol, read lazily; no torch."""

from src_model.datasets.movie import Dataset, Kind, LabelledMovie
from src_model.datasets.opening import LAYOUTS, open_dataset, recognised_layout
from src_model.datasets.pairs import pair
from src_model.datasets.splits import STILLS_HELD_OUT, split_by_name

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
