from __future__ import annotations

import dask.array as da
import numpy as np

from napari_sam2v.layers.pixels import Pixels


def test_another_array_and_values_written_into_the_array_are_noticed(viewer):
    image = viewer.add_image(np.zeros((5, 40, 50), np.uint8))
    seen = Pixels(image)
    assert not seen.are_replaced()
    image.data[3] += 1
    assert seen.are_replaced()
    seen = Pixels(image)
    image.data = image.data.copy()
    assert seen.are_replaced()


def test_nothing_is_read_of_an_array_that_is_not_in_memory(viewer):
    def read(block_info=None):
        raise AssertionError("read")

    image = viewer.add_image(np.zeros((5, 40, 50), np.uint8), name="lazy")
    lazy = da.map_blocks(read, chunks=((1,) * 5, (40,), (50,)), dtype=np.uint8, meta=np.zeros((0,), np.uint8))
    with image.events.blocker_all():
        image._data = lazy
    seen = Pixels(image)
    assert not seen.are_replaced()
