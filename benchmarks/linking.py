"""Programs of others that link cells from frame to frame, on label images; each is imported where it is used.

Sizes that they ask for come of the masks: distances of a cell's diameter, areas of a quarter to four times its area.
What else they can be told stays as they ship it, or as the line beside it says.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from whole_movie import Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Node = tuple[int, int]
"""Frame and label."""

OVERLAP = 0.9
"""The largest cost that laptrack links for: one less the share of a mask that lies on the one before."""

THRESHOLDS = (0.6, 0.8, 1.0, 1.25, 1.6)
"""Times Otsu's threshold: of what Ultrack chooses segments from."""


class UnavailableError(Exception):
    """A linker cannot be used here; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is linked.

    Attributes
    ----------
    labels
        ``(T, Y, X)`` int32, numbered on each frame by itself.
    images
        ``(T, Y, X)`` float32, for those who look at them.
    """

    labels: NDArray[np.int32]
    images: NDArray[np.float32]

    @property
    def area(self) -> float:
        """Median area of a mask, in pixels."""
        counts = [np.unique(frame[frame > 0], return_counts=True)[1] for frame in self.labels]
        every = np.concatenate(counts)
        return float(np.median(every)) if len(every) else 1.0

    @property
    def diameter(self) -> float:
        """Diameter of a round mask of that area, in pixels."""
        return float(2 * np.sqrt(self.area / np.pi))


@dataclass(frozen=True, slots=True)
class Files:
    """Files of others that cannot come with this project, or None."""

    btrack: Path | None = None
    """``models/cell_config.json`` of the repository quantumjot/btrack."""
    trackastra: Path | None = None
    """Folder of a Trackastra model, with ``model.pt`` and ``train_config.yaml``."""


def link_laptrack(scene: Scene, files: Files) -> Tracks:
    """Link by linear assignment of the shares of masks that lie on one another, with gaps and divisions."""
    laptrack = _imported("laptrack", "laptrack")
    tracker = laptrack.OverLapTrack(cutoff=OVERLAP, gap_closing_cutoff=OVERLAP, splitting_cutoff=OVERLAP)
    tracks, splits, _ = tracker.predict_overlap_dataframe(scene.labels)
    numbers = {(int(frame), int(label)): int(one) + 1 for (frame, label), one in tracks["track_id"].items()}
    pairs = () if splits.empty else zip(splits["child_track_id"], splits["parent_track_id"], strict=True)
    return renumbered(scene.labels, numbers, {int(child) + 1: int(parent) + 1 for child, parent in pairs})


def link_btrack(scene: Scene, files: Files) -> Tracks:
    """Link by a Kalman filter of the centroids, and solve for gaps and divisions, with its cell configuration."""
    if files.btrack is None:
        raise UnavailableError("needs models/cell_config.json of the repository quantumjot/btrack: --btrack FILE")
    btrack = _imported("btrack", "btrack")
    nodes, places = _centroids(scene.labels)
    height, width = scene.labels.shape[1:]
    with btrack.BayesianTracker(verbose=False) as tracker:
        tracker.configure(files.btrack)
        tracker.append({"t": places[:, 0], "x": places[:, 2], "y": places[:, 1], "z": np.zeros(len(places))})
        tracker.volume = ((0, width), (0, height))
        tracker.track(step_size=100)
        tracker.optimize()
        found = tracker.tracks
    numbers = {nodes[ref]: int(track.ID) for track in found for ref in track.refs if ref >= 0}  # below 0: no object
    parents = {int(track.ID): int(track.parent) for track in found if track.parent not in (0, track.ID)}
    return renumbered(scene.labels, numbers, parents)


def link_ultrack(scene: Scene, files: Files) -> Tracks:
    """Let Ultrack choose and link segments, of which the given masks are the only ones."""
    return _ultrack([scene.labels], scene.area)


def link_ultrack_thresholds(scene: Scene, files: Files) -> Tracks:
    """Let Ultrack choose and link segments from thresholds of the images; the given masks are not looked at."""
    movies = thresholded(scene.images)
    return _ultrack(movies, Scene(movies[THRESHOLDS.index(1.0)], scene.images).area)


def link_trackastra(scene: Scene, files: Files) -> Tracks:
    """Link by a transformer that its authors trained, greedily, with divisions."""
    if files.trackastra is None:
        raise UnavailableError(
            "needs weights, which its authors keep on GitHub: Trackastra.from_pretrained('general_2d') downloads "
            "them; then --trackastra FOLDER"
        )
    model = _imported("trackastra.model", "trackastra").Trackastra.from_folder(files.trackastra, device="cpu")
    graph, _ = model.track(scene.images, scene.labels, mode="greedy")
    node = {key: (int(data["time"]), int(data["label"])) for key, data in graph.nodes(data=True)}
    return along_links(scene.labels, [(node[one], node[other]) for one, other in graph.edges])


LINKERS: Mapping[str, Callable[[Scene, Files], Tracks]] = {
    "laptrack": link_laptrack,
    "btrack": link_btrack,
    "ultrack": link_ultrack,
    "trackastra": link_trackastra,
    "ultrack, thresholds": link_ultrack_thresholds,
}


def renumbered(labels: NDArray[np.int32], numbers: Mapping[Node, int], parents: Mapping[int, int]) -> Tracks:
    """Give each mask the number of its track; those without one are gone."""
    frames = []
    for frame, image in enumerate(labels):
        lookup = np.zeros(int(image.max(initial=0)) + 1, np.int32)
        for label in range(1, len(lookup)):
            lookup[label] = numbers.get((frame, label), 0)
        frames.append(lookup[image])
    return Tracks(frames, dict(parents))


def along_links(labels: NDArray[np.int32], links: Iterable[tuple[Node, Node]]) -> Tracks:
    """Follow links: a mask with one successor goes on, and one with several has them as daughters."""
    successors: dict[Node, list[Node]] = defaultdict(list)
    predecessor: dict[Node, Node] = {}
    for one, other in links:
        successors[one].append(other)
        predecessor[other] = one
    numbers: dict[Node, int] = {}
    parents: dict[int, int] = {}
    last = 0
    for node in _nodes(labels):  # ascending frames: whoever comes before is numbered
        before = predecessor.get(node)
        if before is not None and len(successors[before]) == 1:
            numbers[node] = numbers[before]
            continue
        last += 1
        numbers[node] = last
        if before is not None:
            parents[numbers[node]] = numbers[before]
    return renumbered(labels, numbers, parents)


def thresholded(images: NDArray[np.float32]) -> list[NDArray[np.int32]]:
    """Label what is brighter than each of several thresholds: ``(T, Y, X)`` each, by ascending threshold."""
    from skimage.filters import threshold_otsu

    smooth = np.stack([ndimage.gaussian_filter(image, 1) for image in images])
    floor = float(np.median(smooth))  # background, so that times the threshold means times its height above it
    height = float(threshold_otsu(smooth)) - floor
    movies = []
    for times in THRESHOLDS:
        above = smooth > floor + times * height
        filled = [ndimage.binary_fill_holes(frame) for frame in above]
        movies.append(np.stack([ndimage.label(frame)[0] for frame in filled]).astype(np.int32))
    return movies


def _ultrack(movies: Sequence[NDArray[np.int32]], area: float) -> Tracks:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # it imports napari
    ultrack = _imported("ultrack", "ultrack")
    with tempfile.TemporaryDirectory() as folder:
        config = ultrack.MainConfig()
        config.data_config.working_dir = Path(folder)
        # Regions of a quarter of it are kept, and of less than 8 pixels Ultrack makes an error.
        config.segmentation_config.min_area = max(32, int(area / 4))
        config.segmentation_config.max_area = max(128, int(area * 4))
        config.linking_config.max_distance = 2 * np.sqrt(area / np.pi)
        config.tracking_config.solver_name = "CBC"  # the free one, which comes with mip
        config.tracking_config.n_threads = 1
        tracker = ultrack.Tracker(config)
        tracker.track(labels=list(movies))
        table, _ = tracker.to_tracks_layer()
        labels = np.asarray(tracker.to_zarr(tracks_df=table)[:])
    pairs = table[["track_id", "parent_track_id"]].drop_duplicates().to_numpy().tolist()
    return Tracks(list(labels), {int(child): int(parent) for child, parent in pairs if parent > 0})


def _nodes(labels: NDArray[np.int32]) -> list[Node]:
    return [(t, int(label)) for t, image in enumerate(labels) for label in np.unique(image[image > 0])]


def _centroids(labels: NDArray[np.int32]) -> tuple[list[Node], NDArray[np.float64]]:
    """Return the masks, and ``(N, 3)`` frame, y and x of each."""
    nodes = _nodes(labels)
    places = [(t, *ndimage.center_of_mass(labels[t] == label)) for t, label in nodes]
    return nodes, np.asarray(places, np.float64).reshape(-1, 3)


def _imported(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UnavailableError(
            f"not installed: pip install {package}, in an environment of its own ({error})"
        ) from error
