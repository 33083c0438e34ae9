from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2", reason="simulating movies needs the extra 'evaluate'")

from src_model.simulation.camera import Camera, random_camera, record
from src_model.simulation.scene import Scene

IDEAL = Camera(
    bits=12,
    photons=1e6,
    read_noise=0.0,
    offset=0.1,
    full_scale=0.5,
    unevenness=0.0,
    bleaching=0.0,
    blur=0.0,
    focus_drift=0.0,
)


def _flat(level: float, frames: int = 3) -> Scene:
    return Scene(np.full((frames, 64, 64), level, np.float32), np.zeros((frames, 64, 64), np.uint16))


def test_an_ideal_camera_maps_signal_to_counts_above_its_offset() -> None:
    images = record(_flat(1.0), IDEAL, np.random.default_rng(0))
    assert images.dtype == np.uint16
    assert images.mean() == pytest.approx(0.6 * 4095, rel=0.01)


def test_eight_bits_are_uint8_and_more_never_exceed_their_range() -> None:
    rng = np.random.default_rng(0)
    assert record(_flat(1.0), replace(IDEAL, bits=8), rng).dtype == np.uint8
    assert record(_flat(9.0), replace(IDEAL, bits=10), rng).max() == 1023


def test_photon_noise_grows_with_the_root_of_the_light() -> None:
    noisy = replace(IDEAL, photons=100.0, full_scale=0.2)
    bright, dim = (record(_flat(level), noisy, np.random.default_rng(1)).std() for level in (1.0, 0.25))
    assert bright / dim == pytest.approx(2.0, rel=0.1)


def test_bleaching_takes_its_share_of_the_light_by_the_last_frame() -> None:
    images = record(_flat(1.0), replace(IDEAL, bleaching=0.5, offset=0.0), np.random.default_rng(0))
    assert images[-1].mean() / images[0].mean() == pytest.approx(0.5, rel=0.02)


def test_uneven_light_differs_across_the_field_but_not_in_time() -> None:
    images = record(_flat(1.0), replace(IDEAL, unevenness=0.3), np.random.default_rng(0)).astype(float)
    assert images[0].std() > 50
    assert np.abs(images[0] - images[1]).mean() < 10


def test_blur_softens_edges() -> None:
    scene = _flat(0.0, 1)
    scene.signal[:, :, 32:] = 1.0
    sharp, soft = (record(scene, replace(IDEAL, blur=blur), np.random.default_rng(0)) for blur in (0.0, 2.0))
    assert np.abs(np.diff(sharp[0].astype(int), axis=1)).max() > np.abs(np.diff(soft[0].astype(int), axis=1)).max()


def test_transmitted_light_never_bleaches() -> None:
    rng = np.random.default_rng(0)
    assert all(random_camera(rng, transmitted=True).bleaching == 0 for _ in range(30))
