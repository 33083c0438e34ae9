"""Video files: every frame by its number, from any direction."""

from __future__ import annotations

import builtins
import zlib

import numpy as np
import pytest

from src_model.errors import FrameRangeError, MissingExtraError, MovieError
from src_model.frames import decide_normalization, open_movie, video

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

KINDS = {
    "h264.mp4": ("libx264", "yuv420p", {"x264-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0"}),
    "h264.mov": ("libx264", "yuv420p", {"x264-params": "keyint=10:bframes=2"}),
    "h264.mkv": ("libx264", "yuv420p", {"x264-params": "keyint=10:bframes=2"}),
    "h264.avi": ("libx264", "yuv420p", {"x264-params": "keyint=10:bframes=2"}),  # AVI tells wrong times here
    "mpeg4.avi": ("mpeg4", "yuv420p", {"g": "10", "bf": "2"}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "gray.avi": ("ffv1", "gray", {}),
    "gray16.mkv": ("ffv1", "gray16le", {}),
}


def write(path, codec, pixels, options, frames=36, size=(48, 64), noise=8):
    """Write a movie in which everything moves, so that no two frames are the same."""
    texture = np.random.default_rng(0).integers(0, 2**noise, (*size, 3)).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pixels
        for number in range(frames):
            image = av.VideoFrame.from_ndarray(np.roll(texture, (number, 2 * number), (0, 1)), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path


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
    assert len(set(expected)) == len(expected) == 36
    movie = open_movie(path)
    assert len(movie) == 36
    numbers = {"forward": range(36), "reverse": range(35, -1, -1), "random": np.random.default_rng(0).permutation(36)}
    for number in numbers[order]:
        assert zlib.crc32(movie.read(int(number)).tobytes()) == expected[number]


def test_counting_frames_decodes_none(mp4, monkeypatch):
    numbers = count_decoded(monkeypatch)
    assert open_movie(mp4).shape == (36, 48, 64, 3)
    assert numbers == []


@pytest.mark.parametrize("backwards", [False, True])
def test_a_pass_in_either_direction_decodes_each_frame_about_once(mp4, backwards, monkeypatch):
    numbers = count_decoded(monkeypatch)
    movie = open_movie(mp4)
    for number in reversed(range(36)) if backwards else range(36):
        movie.read(number)
    assert len(numbers) <= 36 + (12 if backwards else 0)


def test_a_jump_decodes_from_the_nearest_key_frame_only(mp4, monkeypatch):
    movie = open_movie(mp4)
    movie.read(0)
    numbers = count_decoded(monkeypatch)
    movie.read(30)
    assert len(numbers) <= 12


def test_recent_frames_are_bounded_by_bytes(mp4, monkeypatch):
    monkeypatch.setattr(video, "RECENT_BYTES", 5 * 48 * 64 * 3 // 2)
    movie = open_movie(mp4)
    for number in range(36):
        movie.read(number)
        assert len(movie._stack._recent) <= 5


def test_gray_videos_stay_gray_and_deep_ones_deep(tmp_path):
    shallow = open_movie(write(tmp_path / "a.avi", *KINDS["gray.avi"]))
    assert (shallow.shape, shallow.dtype) == ((36, 48, 64), np.uint8)
    deep = open_movie(write(tmp_path / "b.mkv", *KINDS["gray16.mkv"]))
    assert (deep.shape, deep.dtype) == ((36, 48, 64), np.uint16)
    assert deep.read(0).max() > 255


def test_colours_of_a_video_can_be_chosen(mp4):
    np.testing.assert_array_equal(open_movie(mp4, channel=1).read(7), open_movie(mp4).read(7)[..., 1])


def test_a_frame_outside_the_video_is_an_error(mp4):
    with pytest.raises(FrameRangeError, match=r"frame 36 is outside the movie 'movie.mp4': frames are 0 to 35"):
        open_movie(mp4).read(36)


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


def test_damage_in_the_middle_is_an_error_of_its_frame_alone(tmp_path):
    path = write(tmp_path / "movie.avi", *KINDS["mjpeg.avi"])
    expected = decoded(path)
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
        start, size = packet.pos + 8, packet.size
    content = bytearray(path.read_bytes())
    content[start : start + size - 32] = bytes(size - 32)
    path.write_bytes(content)
    movie = open_movie(path)
    np.testing.assert_array_equal(movie.read(19), expected[19])
    for _ in range(2):
        with pytest.raises(MovieError, match=r"frame 20 of .*movie.avi' cannot be (read|decoded)"):
            movie.read(20)
    np.testing.assert_array_equal(movie.read(21), expected[21])


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
