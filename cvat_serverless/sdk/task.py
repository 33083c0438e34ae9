"""A task, or one job of it: its frames, labels and annotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.marks import hash_of
from cvat_serverless.sdk.overlaps import united
from cvat_serverless.sdk.records import Annotations, DataInfo, JobInfo, Label, Page, TaskInfo, read
from src_model.errors import FrameRangeError, MovieError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cvat_serverless.sdk.server import Server


@dataclass(frozen=True, slots=True)
class TaskOrJob:
    """Where annotations are read and written.

    Attributes
    ----------
    server
        Logged in.
    task
        The task.
    data
        Its images.
    labels
        By id.
    jobs
        Its annotation jobs.
    job
        The one that is worked on; None: the whole task.
    """

    server: Server
    task: TaskInfo
    data: DataInfo
    labels: Mapping[int, Label]
    jobs: tuple[JobInfo, ...]
    job: JobInfo | None = None

    @property
    def described(self) -> str:
        """What a person calls it."""
        return f"task {self.task.id}" if self.job is None else f"job {self.job.id} of task {self.task.id}"

    @property
    def slug(self) -> str:
        """A name for files about it."""
        host = "".join(letter if letter.isalnum() else "-" for letter in self.server.host)
        return f"{host}-task-{self.task.id}" + ("" if self.job is None else f"-job-{self.job.id}")

    @property
    def images_slug(self) -> str:
        """A name for its images, which changes when they do."""
        return f"{self.slug}-{hash_of(self.data.chunks_updated_date or '')}"

    @property
    def span(self) -> range:
        """Its frames, counted as CVAT shows them."""
        return range(self.data.size) if self.job is None else range(self.job.start_frame, self.job.stop_frame + 1)

    def kept_frames(self, start: int | None = None, stop: int | None = None) -> tuple[int, ...]:
        """Return the frames from ``start`` up to ``stop`` (excluded) that are not deleted.

        Raises
        ------
        FrameRangeError
            If they are not all in the task or job, or none is left.
        """
        first = self.span.start if start is None else start
        end = self.span.stop if stop is None else stop
        if not (self.span.start <= first < end <= self.span.stop):
            raise FrameRangeError(
                f"--frames {first}:{end} is not within {self.described}, which has the frames {self.span.start} to "
                f"{self.span.stop - 1} (STOP is excluded)"
            )
        deleted = set(self.data.deleted_frames)
        frames = tuple(frame for frame in range(first, end) if frame not in deleted)
        if not frames:
            raise FrameRangeError(f"all frames of --frames {first}:{end} are deleted in {self.described}")
        return frames

    def frame_shape(self, frames: tuple[int, ...]) -> tuple[int, int]:
        """Return ``(Y, X)`` of frames, which must be the same for all.

        Raises
        ------
        MovieError
            If it is not.
        """
        sizes = self.data.frames
        if not sizes:
            raise MovieError(f"{self.described} has no images yet; wait until CVAT has made the task")
        of_first = sizes[frames[0]] if len(sizes) > 1 else sizes[0]
        for frame in frames if len(sizes) > 1 else ():
            if frame < len(sizes) and sizes[frame] != of_first:
                raise MovieError(
                    f"frame {frame} has {sizes[frame].width} x {sizes[frame].height} pixels, but frame {frames[0]} "
                    f"{of_first.width} x {of_first.height}: only images of one size can be tracked; choose a part with "
                    "--frames"
                )
        return of_first.height, of_first.width

    @property
    def is_cut(self) -> bool:
        """Whether several jobs hold its annotations, each with those of its own frames."""
        return self.job is None and len(self.jobs) > 1

    @property
    def spans(self) -> tuple[range, ...]:
        """The frames of each job that annotations are written to."""
        jobs = (self.job,) if self.job is not None else self.jobs
        return tuple(range(job.start_frame, job.stop_frame + 1) for job in jobs)

    def held(self) -> tuple[tuple[range, Annotations], ...]:
        """Read all shapes and tracks as each job holds them, with its frames; by ascending first frame.

        CVAT's answer for a whole task is of no use where there are several: it names what lies in two jobs once or
        twice, depending on its type, and ends tracks where a job does.
        """
        if not self.is_cut:
            answer = self.server.get(f"{self._path}/annotations/", f"reading the annotations of {self.described}")
            return ((self.span, read(Annotations, answer)),)
        jobs = sorted(self.jobs, key=lambda job: (job.start_frame, job.id))
        return tuple(part for job in jobs for part in replace(self, job=job).held())

    def annotations(self, is_as_written: Callable[[dict[str, Any]], bool] = lambda raw: False) -> Annotations:
        """Read all shapes and tracks, each once.

        Parameters
        ----------
        is_as_written
            Tells of a shape or keyframe whether it is as it was written: where jobs hold different copies of one
            thing, those that are not count.
        """
        held = self.held()
        return united(held, is_as_written) if self.is_cut else held[0][1]

    def check_writable(self) -> None:
        """Raise RemoteError if the server does not let this user write annotations; changes nothing."""
        body: dict[str, object] = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        doing = f"writing annotations of {self.described}, which was tried before any work was done"
        self.server.try_out("PATCH", f"{self._path}/annotations/", body, doing, action="create")

    def write(self, action: str, shapes: list[dict[str, Any]], tracks: list[dict[str, Any]]) -> Annotations:
        """Change annotations by one request, all or nothing.

        Parameters
        ----------
        action
            ``create``, ``update`` (those with an id are replaced, the others made) or ``delete``.
        shapes, tracks
            As CVAT takes them.

        Returns
        -------
        Annotations
            What was written, with ids.

        Raises
        ------
        ConnectionBroken
            If no answer came, so that it may or may not have happened.
        RemoteError
            If the server refuses.
        """
        body = {"version": 0, "tags": [], "shapes": shapes, "tracks": tracks}
        doing = f"writing annotations of {self.described}"
        return read(
            Annotations, self.server.change("PATCH", f"{self._path}/annotations/", body, doing, action=action) or {}
        )

    def frame_file(self, frame: int) -> bytes:
        """Fetch one frame at its original quality, as a file."""
        return self.server.get_bytes(
            f"/api/tasks/{self.task.id}/data/" if self.job is None else f"/api/jobs/{self.job.id}/data",
            f"fetching frame {frame} of {self.described}",
            type="frame",
            number=frame,
            quality="original",
        )

    def label_named(self, name: str, otherwise: str) -> Label:
        """Return the label of a name; RemoteError, which says what to do ``otherwise``, if there is none."""
        for label in self.labels.values():
            if label.name == name:
                return label
        known = ", ".join(repr(label.name) for label in self.labels.values()) or "none"
        raise RemoteError(f"{self.described} has no label {name!r}; it has {known}. Add it in CVAT, or {otherwise}")

    @property
    def _path(self) -> str:
        return f"/api/tasks/{self.task.id}" if self.job is None else f"/api/jobs/{self.job.id}"


def open_task(server: Server, task_id: int, job_id: int | None = None) -> TaskOrJob:
    """Look a task up, or one job of it.

    Raises
    ------
    RemoteError
        If it is not there or cannot be worked on.
    """
    task = read(TaskInfo, server.get(f"/api/tasks/{task_id}", f"reading task {task_id}"))
    if task.dimension != "2d":
        raise RemoteError(f"task {task_id} holds 3D point clouds; only images and videos can be tracked")
    data = read(DataInfo, server.get(f"/api/tasks/{task_id}/data/meta", f"reading the images of task {task_id}"))
    labels = [read(Label, item) for item in _all(server, "labels", task_id)]
    found = [read(JobInfo, item) for item in _all(server, "jobs", task_id)]
    jobs = tuple(job for job in found if job.type == "annotation")
    job = None
    if job_id is not None:
        job = next((each for each in found if each.id == job_id), None)
        if job is None:
            known = ", ".join(str(each.id) for each in found) or "none"
            raise RemoteError(f"task {task_id} has no job {job_id}; its jobs are {known}")
    return TaskOrJob(server, task, data, {label.id: label for label in labels}, jobs, job)


def _all(server: Server, what: str, task_id: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    number = 1
    while True:
        doing = f"reading the {what} of task {task_id}"
        page = read(Page, server.get(f"/api/{what}", doing, task_id=task_id, page=number, page_size=100))
        items.extend(page.results)
        if not page.next:
            return items
        number += 1
