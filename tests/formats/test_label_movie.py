"""The type that holds labels."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.errors import MaskError
from src_model.formats.label_movie import label_dtype


@pytest.mark.parametrize(
    ("ids", "dtype"), [([], "uint8"), ([255], "uint8"), ([1, 256], "uint16"), ([65535], "uint16"), ([65536], "uint32")]
)
def test_the_smallest_type_that_holds_all_numbers_is_used(ids, dtype):
    assert label_dtype(ids) == dtype


def test_a_smaller_type_than_asked_for_is_never_chosen():
    assert label_dtype([3], least=np.uint16) == np.uint16


def test_a_number_that_no_label_image_holds_is_an_error():
    with pytest.raises(MaskError, match=str(2**32)):
        label_dtype([2**32])
