"""Features by image hash."""

from __future__ import annotations

import torch

from cvat_serverless.image_cache import EncodedImage, ImageCache
from src_model.nn import ImageFeatures


def encoded(numbers: int) -> EncodedImage:
    """An image whose features take four bytes a number."""
    return EncodedImage((4, 4), ImageFeatures(torch.zeros(1, numbers, 1, 1), ()))


def test_an_image_that_was_put_there_is_found_again():
    cache, image = ImageCache(1000), encoded(10)
    cache.put("a", image)
    assert cache.get("a") is image
    assert cache.get("b") is None


def test_the_least_recently_used_images_make_room():
    cache = ImageCache(100)
    for name in "ab":
        cache.put(name, encoded(10))
    cache.get("a")
    cache.put("c", encoded(10))
    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]
    assert cache.bytes_used == 80


def test_the_image_in_use_is_kept_even_if_it_is_too_large():
    cache = ImageCache(100)
    cache.put("a", encoded(10))
    cache.put("b", encoded(1000))
    assert cache.get("b") is not None
    assert len(cache) == 1


def test_an_image_put_there_twice_counts_once():
    cache = ImageCache(100)
    cache.put("a", encoded(10))
    cache.put("a", encoded(10))
    assert cache.bytes_used == 40
