"""Journals: entries in order, up to the first that is not whole."""

from __future__ import annotations

import struct
import zlib

import pytest

from src_model.annotation import journal
from src_model.annotation.codec import decode, encode
from src_model.annotation.journal import last_entry, packed_entry, read_entries
from src_model.annotation.patch import Patch
from src_model.annotation.schema import JournalEntry
from src_model.errors import AnnotationFileError
from tests.annotation.sample import document


def packed(time, patch=None):
    content, arrays = encode(patch or Patch())
    entry = JournalEntry(
        program="0",
        time=time,
        modified=True,
        objects=1,
        masks=2,
        movie="m",
        file="",
        file_stamp=(0, 0),
        content=content,
    )
    return packed_entry(entry, arrays)


def test_entries_come_in_order_with_their_patches(tmp_path):
    state = document().snapshot().state
    path = tmp_path / "journal"
    path.write_bytes(packed(1.0, state.as_patch()) + packed(2.0))
    (first, arrays), (second, _) = read_entries(path)
    assert (first.time, second.time) == (1.0, 2.0)
    assert decode(first.content, arrays) == state.as_patch()
    assert last_entry(path).time == 2.0


@pytest.mark.parametrize("rest", [b"", b"S2V", b"junk" * 10, packed(3.0)[:-1], packed(3.0)[:-1] + b"?"])
def test_what_is_not_whole_ends_it(tmp_path, rest):
    path = tmp_path / "journal"
    path.write_bytes(packed(1.0) + packed(2.0) + rest)
    assert [entry.time for entry, _ in read_entries(path)] == [1.0, 2.0]
    assert last_entry(path).time == 2.0


def test_an_empty_journal_has_no_entry(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"")
    assert list(read_entries(path)) == []
    assert last_entry(path) is None


def test_an_entry_that_claims_to_be_huge_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    path.write_bytes(struct.pack("<4sQI", b"S2VJ", 2**60, 0) + b"x" * 100)
    assert list(read_entries(path)) == []
    path.write_bytes(packed(1.0))
    monkeypatch.setattr(journal, "MAX_FILE_BYTES", 10)
    assert list(read_entries(path)) == []


def test_an_entry_that_is_whole_but_none_of_ours_is_refused(tmp_path):
    content = b"not a container"
    path = tmp_path / "journal"
    path.write_bytes(struct.pack("<4sQI", b"S2VJ", len(content), zlib.crc32(content)) + content)
    with pytest.raises(AnnotationFileError, match="damaged, or no annotation"):
        list(read_entries(path))
