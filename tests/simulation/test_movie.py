from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="simulating movies needs the extra 'evaluate'")


from src_model.simulation import SIMULATED_KINDS, simulate_movie

KINDS = pytest.mark.parametrize("kind", SIMULATED_KINDS)


@KINDS
def test_equal_seeds_give_equal_movies_and_others_give_others(kind: str) -> None:
    first, again = (simulate_movie(kind, 5, 4, (96, 112)) for _ in range(2))
    other = simulate_movie(kind, 6, 4, (96, 112))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert first.parents == again.parents
    assert not np.array_equal(first.labels, other.labels)


@KINDS
def test_images_and_labels_have_the_shape_asked_for_and_camera_types(kind: str) -> None:
    depths = set()
    for seed in range(6):
        movie = simulate_movie(kind, seed, 3, (64, 80))
        assert movie.images.shape == movie.labels.shape == (3, 64, 80)
        assert movie.labels.dtype == np.uint16
        depths.add(movie.images.dtype)
    assert depths <= {np.dtype(np.uint8), np.dtype(np.uint16)}


@KINDS
def test_every_movie_shows_objects_in_its_first_frame(kind: str) -> None:
    for seed in range(8):
        movie = simulate_movie(kind, seed, 2, (128, 128))
        assert (np.bincount(movie.labels[0].ravel())[1:] >= 30).any(), f"seed {seed} is empty"


@KINDS
def test_objects_keep_their_place_from_frame_to_frame(kind: str) -> None:
    overlaps = []
    for seed in range(3):
        labels = simulate_movie(kind, seed, 5, (128, 128)).labels
        for identity in np.intersect1d(labels[0], labels[1])[1:]:
            before, after = labels[0] == identity, labels[1] == identity
            overlaps.append((before & after).sum() / (before | after).sum())
    assert np.median(overlaps) > 0.5


@KINDS
def test_objects_look_different_from_what_surrounds_them(kind: str) -> None:
    movie = simulate_movie(kind, 2, 2, (160, 160))
    image, labels = movie.images[0].astype(float), movie.labels[0]
    edges = np.zeros(labels.shape, bool)
    edges[1:] |= labels[1:] != labels[:-1]
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    steps = np.hypot(*np.gradient(image))
    assert steps[edges].mean() > steps[~edges].mean()


@pytest.mark.parametrize("kind", ["nuclei", "sheet", "rods"])
def test_daughters_begin_where_their_mother_ends(kind: str) -> None:
    divisions = 0
    for seed in range(12):
        movie = simulate_movie(kind, seed, 10, (128, 128))
        for daughter, mother in movie.parents.items():
            frames_of = {i: np.flatnonzero((movie.labels == i).any(axis=(1, 2))) for i in (daughter, mother)}
            if len(frames_of[mother]) and len(frames_of[daughter]):
                assert frames_of[mother].max() < frames_of[daughter].min()
                divisions += 1
    assert divisions > 0


def test_the_sheet_fills_the_frame_unless_it_has_a_free_border() -> None:
    covered = [(simulate_movie("sheet", seed, 1, (128, 128)).labels > 0).mean() for seed in range(8)]
    assert max(covered) == 1.0
    assert min(covered) > 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clouds", 0, 2, (64, 64)), "unknown kind of simulated movie 'clouds'"),
        (("nuclei", 0, 0, (64, 64)), "frames is 0"),
        (("nuclei", 0, 2, (16, 64)), "at least 32 x 32"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[str, int, int, tuple[int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate_movie(*arguments)
