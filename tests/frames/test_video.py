"""Video files: every frame by its number, from any direction."""

from __future__ import annotations

import builtins
import zlib
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from src_model.errors import DamagedFrameError, FrameRangeError, MissingExtraError, MovieError
from src_model.frames import decide_normalization, open_movie, video
from src_model.frames.video_decoder import VideoDecoder

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

OPEN = {"x264-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0"}
CLOSED = {"x264-params": "keyint=10:bframes=2:scenecut=0"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=10:bframes=0:scenecut=0"}
REORDERED = {"g": "10", "bf": "2", "sc_threshold": "1000000000"}
KINDS = {
    "open.mp4": ("libx264", "yuv420p", OPEN),
    "open.mkv": ("libx264", "yuv420p", OPEN),
    "open.ts": ("libx264", "yuv420p", OPEN),
    "open.avi": ("libx264", "yuv420p", OPEN),  # AVI tells wrong times where H.264 frames are reordered
    "closed.mov": ("libx264", "yuv420p", CLOSED),
    "closed.avi": ("libx264", "yuv420p", CLOSED),
    "fields.ts": ("libx264", "yuv420p", {"x264-params": "tff=1:keyint=10:bframes=2"}),
    "refresh.mp4": ("libx264", "yuv420p", REFRESH),  # no picture is whole by itself
    "refresh.ts": ("libx264", "yuv420p", REFRESH),
    "hevc.mp4": ("libx265", "yuv420p", {"x265-params": "keyint=10:bframes=3:log-level=none"}),
    "hevc.ts": ("libx265", "yuv420p", {"x265-params": "keyint=10:bframes=3:log-level=none"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", REORDERED),
    "mpeg4.mp4": ("mpeg4", "yuv420p", REORDERED),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", REORDERED),
    "mpeg2.ts": ("mpeg2video", "yuv420p", REORDERED),
    "mpeg2.avi": ("mpeg2video", "yuv420p", REORDERED),
    "wmv2.wmv": ("wmv2", "yuv420p", {"g": "10"}),
    "vp8.webm": ("libvpx", "yuv420p", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "8"}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "8"}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "gray.avi": ("ffv1", "gray", {}),
    "gray16.mkv": ("ffv1", "gray16le", {}),
    "colors.avi": ("rawvideo", "bgr24", {}),
}


def write(path, codec, pixels, options, **details):
    """Write a movie in which everything moves, so that no two frames are the same."""
    path.write_bytes(encoded(path.suffix, codec, pixels, tuple(options.items()), **details))
    return path


@cache
def encoded(suffix, codec, pixels, options, frames=80, size=(48, 64), noise=8, times=None):
    """Encode it once for all tests that want the same."""
    texture = np.random.default_rng(0).integers(0, 2**noise, (*size, 3)).astype(np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"movie{suffix}"
        encode(path, texture, codec, pixels, dict(options), frames, times)
        return path.read_bytes()


def encode(path, texture, codec, pixels, options, frames, times):
    size = texture.shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pixels
        stream.codec_context.thread_count = 1  # the same bytes each time: some damage shows, and some does not
        for number in range(frames):
            image = av.VideoFrame.from_ndarray(np.roll(texture, (number, 2 * number), (0, 1)), format="rgb24")
            if times is not None:
                image.pts, image.time_base = times[number], Fraction(1, 25)
            container.mux(stream.encode(image))
        container.mux(stream.encode())


@pytest.fixture(params=KINDS)
def path(request, tmp_path):
    codec, pixels, options = KINDS[request.param]
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    return write(tmp_path / request.param, codec, pixels, options)


@pytest.fixture
def mp4(tmp_path):
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    return write(tmp_path / "movie.mp4", codec, "yuv420p", {"g": "12", "bf": "2"})


def decoded(path):
    """Decode all frames in order, the plain way."""
    formats = {"gray": "gray", "gray16le": "gray16le"}
    with av.open(str(path)) as container:
        return [f.to_ndarray(format=formats.get(f.format.name, "rgb24")) for f in container.decode(video=0)]


def count_decoded(monkeypatch):
    """Count the frames that come out of the decoder."""
    numbers = []
    ordinary = video.VideoStack._remember

    def remember(stack, number, frame):
        numbers.append(number)
        ordinary(stack, number, frame)

    monkeypatch.setattr(video.VideoStack, "_remember", remember)
    return numbers


def checksums(images):
    return [zlib.crc32(image.tobytes()) for image in images]


@pytest.mark.parametrize("order", ["forward", "reverse", "random"])
@pytest.mark.parametrize("recent", [0, video.RECENT_BYTES], ids=["little memory", "usual memory"])
def test_each_frame_is_the_one_that_plain_decoding_gives(path, order, recent, monkeypatch):
    monkeypatch.setattr(video, "RECENT_BYTES", recent)
    expected = checksums(decoded(path))
    assert len(set(expected)) == len(expected) == 80
    movie = open_movie(path)
    assert len(movie) == 80
    numbers = {"forward": range(80), "reverse": range(79, -1, -1), "random": np.random.default_rng(0).permutation(80)}
    for number in numbers[order]:
        assert zlib.crc32(movie.read(int(number)).tobytes()) == expected[number]


def test_a_stream_without_a_container_and_its_times_is_read_all_the_same(tmp_path):
    path = tmp_path / "movie.mkv"
    path.write_bytes(write(tmp_path / "movie.h264", *KINDS["open.mp4"]).read_bytes())  # told by its content
    expected = decoded(path)
    movie = open_movie(path)
    assert len(movie) == len(expected) == 80
    for number in np.random.default_rng(0).permutation(80):
        np.testing.assert_array_equal(movie.read(int(number)), expected[number])


def test_frames_at_changing_intervals_are_counted_not_timed(tmp_path):
    times = np.cumsum(np.random.default_rng(0).integers(1, 40, 80))
    path = write(tmp_path / "movie.mp4", *KINDS["open.mp4"], times=tuple(int(time) for time in times))
    expected = decoded(path)
    movie = open_movie(path)
    assert len(movie) == 80
    for number in (35, 0, 20, 19, 21):
        np.testing.assert_array_equal(movie.read(number), expected[number])


def test_frames_outside_of_an_edit_list_are_not_counted(tmp_path):
    whole = write(tmp_path / "whole.mp4", *KINDS["closed.mov"])
    path = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w", options={"use_editlist": "1"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                shift = int(5 / 25 / packet.time_base)  # the first five frames lie before the beginning
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                target.mux(packet)
    expected = decoded(path)
    movie = open_movie(path)
    assert len(movie) == len(expected) == 75
    for number in (74, 0, 12, 11, 29):
        np.testing.assert_array_equal(movie.read(number), expected[number])


def test_opening_decodes_no_more_than_a_few_frames(tmp_path, monkeypatch):
    numbers = []
    ordinary = VideoDecoder.frames_from

    def frames_from(*arguments):
        for number, frame in ordinary(*arguments):
            numbers.append(number)
            yield number, frame

    monkeypatch.setattr(VideoDecoder, "frames_from", frames_from)
    assert open_movie(write(tmp_path / "a.mp4", *KINDS["open.mp4"], frames=90)).shape == (90, 48, 64, 3)
    assert len(numbers) <= video.FRAMES_TO_COMPARE


@pytest.mark.parametrize("name", ["open.mp4", "open.ts", "open.avi", "hevc.ts", "mpeg4.avi", "mpeg2.mpg", "wmv2.wmv"])
@pytest.mark.parametrize("order", ["reverse", "random"])
def test_a_read_costs_no_more_than_two_groups_of_pictures(tmp_path, name, order, monkeypatch):
    path = write(tmp_path / name, *KINDS[name], frames=80)
    movie = open_movie(path)
    numbers = count_decoded(monkeypatch)
    monkeypatch.setattr(video, "RECENT_BYTES", 0)
    for number in reversed(range(80)) if order == "reverse" else np.random.default_rng(0).permutation(80):
        numbers.clear()
        movie.read(int(number))
        assert len(numbers) <= 26


@pytest.mark.parametrize("name", ["open.mp4", "open.ts", "mpeg2.mpg", "mpeg4.avi", "wmv2.wmv"])
def test_a_jump_does_not_walk_through_the_file(tmp_path, name, monkeypatch):
    movie = open_movie(write(tmp_path / name, *KINDS[name], frames=400, size=(16, 16)))
    walked = []
    ordinary = VideoDecoder._demux
    monkeypatch.setattr(VideoDecoder, "_demux", lambda self: (walked.append(1) or p for p in ordinary(self)))
    for number in (390, 380, 200, 395):
        walked.clear()
        movie.read(number)
        assert len(walked) <= 90


@pytest.mark.parametrize("backwards", [False, True])
def test_a_pass_in_either_direction_decodes_each_frame_about_once(mp4, backwards, monkeypatch):
    numbers = count_decoded(monkeypatch)
    movie = open_movie(mp4)
    for number in reversed(range(80)) if backwards else range(80):
        movie.read(number)
    assert len(numbers) <= 80 + (12 if backwards else 0)


def test_a_jump_decodes_from_the_nearest_key_frame_only(mp4, monkeypatch):
    movie = open_movie(mp4)
    movie.read(0)
    numbers = count_decoded(monkeypatch)
    movie.read(30)
    assert len(numbers) <= 12


def test_recent_frames_are_bounded_by_bytes(mp4, monkeypatch):
    monkeypatch.setattr(video, "RECENT_BYTES", 5 * 48 * 64 * 3 // 2)
    movie = open_movie(mp4)
    for number in range(80):
        movie.read(number)
        assert len(movie._stack._recent) <= 5


def test_gray_videos_stay_gray_and_deep_ones_deep(tmp_path):
    shallow = open_movie(write(tmp_path / "a.avi", *KINDS["gray.avi"]))
    assert (shallow.shape, shallow.dtype) == ((80, 48, 64), np.uint8)
    deep = open_movie(write(tmp_path / "b.mkv", *KINDS["gray16.mkv"]))
    assert (deep.shape, deep.dtype) == ((80, 48, 64), np.uint16)
    assert deep.read(0).max() > 255


def test_colors_of_a_video_can_be_chosen(mp4):
    np.testing.assert_array_equal(open_movie(mp4, channel=1).read(7), open_movie(mp4).read(7)[..., 1])


def test_a_frame_outside_the_video_is_an_error(mp4):
    with pytest.raises(FrameRangeError, match=r"frame 80 is outside the movie 'movie.mp4': frames are 0 to 79"):
        open_movie(mp4).read(80)


def test_one_frame_is_a_movie(tmp_path):
    movie = open_movie(write(tmp_path / "one.mp4", "mpeg4", "yuv420p", {}, frames=1))
    assert movie.read(0).shape == (48, 64, 3)


def test_a_file_that_is_no_video_is_an_error(tmp_path):
    for content in (b"", b"no video at all" * 100):
        (tmp_path / "movie.mp4").write_bytes(content)
        with pytest.raises(MovieError, match=r"movie.mp4' cannot be opened as a video \(.*\): it may be damaged"):
            open_movie(tmp_path / "movie.mp4")


def test_a_truncated_video_is_an_error(mp4):
    mp4.write_bytes(mp4.read_bytes()[:-500])
    with pytest.raises(MovieError, match=r"movie.mp4' cannot be opened as a video"):
        open_movie(mp4)


def test_sound_alone_is_an_error(tmp_path):
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(MovieError, match=r"sound.mkv' has no video in it: expected a video stream"):
        open_movie(tmp_path / "sound.mkv")


def test_a_video_without_frames_is_an_error(tmp_path):
    with av.open(str(tmp_path / "none.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(MovieError, match=r"none.avi' (is empty or damaged|cannot be opened)"):
        open_movie(tmp_path / "none.avi")


def damage(path, number):
    """Overwrite the middle of a packet with zeros, and give the frames that depend on it in a movie like KINDS."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
        start, size = packet.pos + packet.size // 4, packet.size // 2
    content = bytearray(path.read_bytes())
    content[start : start + size] = bytes(size)
    path.write_bytes(content)


def readable(movie, numbers):
    found = {}
    for number in numbers:
        with suppress(DamagedFrameError):
            found[int(number)] = movie.read(int(number))
    return found


@pytest.mark.parametrize("order", ["forward", "reverse", "random"])
@pytest.mark.parametrize(
    ("name", "packet", "lost"),
    [
        ("mjpeg.avi", 20, {20}),
        ("mpeg4.mp4", 13, {*range(10, 22)}),
        ("open.mp4", 8, {*range(6, 22)}),
        ("open.mp4", 20, {*range(18, 30)}),
        ("closed.mov", 10, {*range(8, 24)}),
        ("mpeg2.ts", 13, {*range(10, 24)}),
    ],
)
def test_damage_spoils_its_frame_and_those_that_need_it_and_no_other(tmp_path, name, packet, lost, order):
    path = write(tmp_path / name, *KINDS[name])
    expected = decoded(path)
    damage(path, packet)
    orders = {"forward": range(80), "reverse": range(79, -1, -1), "random": np.random.default_rng(0).permutation(80)}
    found = readable(open_movie(path), orders[order])
    missing = set(range(80)) - set(found)
    assert missing
    assert missing <= lost
    for number, image in found.items():
        np.testing.assert_array_equal(image, expected[number])


def test_damage_does_not_change_the_numbers_of_other_frames(tmp_path):
    path = write(tmp_path / "movie.mp4", *KINDS["hevc.mp4"])
    expected = decoded(path)
    damage(path, 8)  # the decoder drops this frame without a word
    movie = open_movie(path)
    assert len(movie) == 80
    for number in (0, 1, 40, 60, 79):
        np.testing.assert_array_equal(movie.read(number), expected[number])


def test_damage_in_the_first_frame_leaves_the_later_ones(tmp_path):
    path = write(tmp_path / "movie.mov", *KINDS["closed.mov"])
    expected = decoded(path)
    damage(path, 0)
    movie = open_movie(path)
    found = readable(movie, range(80))
    assert 0 not in found
    with pytest.raises(DamagedFrameError, match=r"frame 0 of .*movie.mov' cannot be decoded") as caught:
        movie.read(0)
    assert caught.value.frame == 0
    assert set(range(10, 80)) <= set(found)
    np.testing.assert_array_equal(found[25], expected[25])


def stamp(image):
    """Read the frame number in the awkward videos: eight squares of 12 px, the lowest bit on the left."""
    return sum(int(image[5, 12 * bit + 6].mean() > 128) << bit for bit in range(8))


@pytest.mark.parametrize("name", ["palette_gray8_raw.avi", "transport_stream_named.mp4"])
def test_awkward_videos_from_the_field(shared_data, name):
    movie = open_movie(shared_data / "awkward" / name)
    expected = decoded(shared_data / "awkward" / name)
    assert len(movie) == len(expected) == 48
    for number in reversed(range(48)):
        np.testing.assert_array_equal(movie.read(number), expected[number])
        assert stamp(expected[number]) == number


def test_a_damaged_video_from_the_field(shared_data):
    found = readable(open_movie(shared_data / "awkward" / "damaged_middle.mp4"), range(48))
    whole = decoded(shared_data / "awkward" / "transport_stream_named.mp4")  # the same movie
    assert sorted(found) == [*range(22), 23, *range(36, 48)]
    for number, image in found.items():
        np.testing.assert_array_equal(image, whole[number])


def test_without_the_package_the_error_names_the_extra(mp4, monkeypatch):
    ordinary = builtins.__import__

    def without_av(name, *arguments, **options):
        if name == "av":
            raise ImportError(name)
        return ordinary(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingExtraError, match=r"reading the video '.*movie.mp4' needs the package 'av': .*\[video\]"):
        open_movie(mp4)


def test_a_real_video(shared_data):
    movie = open_movie(shared_data / "bedroom" / "bedroom.mp4")
    assert movie.shape == (200, 540, 960, 3)
    assert decide_normalization(movie).kind == "none"
    late = movie.read(190)
    movie.read(3)
    np.testing.assert_array_equal(movie.read(190), late)
