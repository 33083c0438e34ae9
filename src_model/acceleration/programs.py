"""From a module to a program that OpenVINO runs: traced, converted, compiled, checked, kept."""

from __future__ import annotations

import hashlib
import sys
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch

from src_model.nn.compute import has_bfloat16_units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.resources.abc import Traversable

    from torch import Tensor, nn

    from src_model.acceleration.blobs import BlobFolder

_LARGEST_ERROR = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""Root mean square of the difference to torch, in that of the result itself, up to which a program is right."""


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """What is to be compiled.

    Attributes
    ----------
    make
        Makes the module; not called if the program is on disk.
    weights
        All parameters that the module depends on.
    label
        Tells apart modules of the same weights.
    shapes
        Of the inputs; -1 where any size must do.
    example
        Makes inputs to trace the module with and to check the program by.
    """

    make: Callable[[], nn.Module]
    weights: tuple[Tensor, ...]
    label: str
    shapes: tuple[tuple[int, ...], ...]
    example: Callable[[], tuple[Tensor, ...]]


class Program:
    """A compiled module. Threads that run it wait for each other.

    Parameters
    ----------
    compiled
        Compiled model of OpenVINO, with float32 inputs and outputs.
    """

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """Compute float32 results of float32 inputs on the CPU."""
        arrays = {number: x.detach().float().contiguous().numpy() for number, x in enumerate(inputs)}
        with self._lock:
            # Inputs are lent; results are copied, since the next run writes over OpenVINO's own.
            results = self._request.infer(arrays, share_inputs=True)
        return [torch.from_numpy(results[number]) for number in range(len(results))]


def load_program(request: ProgramRequest, dtype: torch.dtype, threads: int, folder: BlobFolder) -> Program:
    """Return a program, from disk if it was compiled before.

    Parameters
    ----------
    request
        The module to compile, and the shapes of its inputs.
    dtype
        float32 or bfloat16: in what it computes. Where the processor has no bfloat16 it computes in float32.
    threads
        How many it uses.
    folder
        Where programs are kept.

    Raises
    ------
    RuntimeError
        If OpenVINO cannot compile the module, or the program does not compute what the module does.
    """
    core, options = _core(), _options(dtype, threads)
    key = _key(request, options)
    held = folder.read(key)
    if held is not None:
        try:
            return Program(core.import_model(held, "CPU", options))
        except RuntimeError:
            pass  # Of another build of OpenVINO after all: made again.
    compiled, program = _compiled(request, dtype, options)
    folder.write(key, compiled.export_model().getvalue())
    return program


def _compiled(request: ProgramRequest, dtype: torch.dtype, options: dict[str, Any]) -> tuple[Any, Program]:
    with torch.autocast("cpu", enabled=False):
        return _compiled_in_float32(request, dtype, options)


def _compiled_in_float32(request: ProgramRequest, dtype: torch.dtype, options: dict[str, Any]) -> tuple[Any, Program]:
    """Compile what computes float32, as far as torch can tell; OpenVINO changes the type where it was asked to."""
    module, example = request.make().eval(), request.example()
    model = _converted(module, example)
    model.reshape({number: list(shape) for number, shape in enumerate(request.shapes)})
    compiled = _core().compile_model(model, "CPU", options)
    program = Program(compiled)
    with torch.no_grad():
        expected = module(*example)
    _check(program(*example), expected if isinstance(expected, tuple) else (expected,), dtype, request.label)
    return compiled, program


def _converted(module: nn.Module, example: tuple[Tensor, ...]) -> Any:
    _openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    front_end = FrontEndManager().load_by_framework("pytorch")
    # Traced with gradients on, the network computes nothing that it would keep for the next image.
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced)  # named, since OpenVINO holds no reference of its own
        return front_end.convert(front_end.load(decoder))


def _check(results: Sequence[Tensor], expected: Sequence[Tensor], dtype: torch.dtype, label: str) -> None:
    for result, truth in zip(results, expected, strict=True):
        error = float((result - truth).square().mean().sqrt() / truth.square().mean().sqrt().clamp(min=1e-12))
        if not error < _LARGEST_ERROR[dtype]:
            raise RuntimeError(f"the compiled {label} is off by {error:.2g} of its size")


def _options(dtype: torch.dtype, threads: int) -> dict[str, Any]:
    # OpenVINO says what the processor has. Where oneDNN may use less, it crashes when it is asked for bfloat16.
    has_bfloat16 = has_bfloat16_units() and "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 and has_bfloat16 else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        # Torch's threads run between ours; pinned ones would share a core with them.
        "ENABLE_CPU_PINNING": False,
    }


@lru_cache(maxsize=1)
def _core() -> Any:
    return _openvino().Core()


@lru_cache(maxsize=1)
def _openvino() -> Any:
    """Import OpenVINO, but not what it reports its use to a server through; it does without where that is missing."""
    reporting = "openvino_telemetry"
    before = sys.modules.pop(reporting, None)
    sys.modules[reporting] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        del sys.modules[reporting]
        if before is not None:
            sys.modules[reporting] = before
    return openvino


def _key(request: ProgramRequest, options: dict[str, Any]) -> str:
    """Name all that a compiled program depends on."""
    digest = hashlib.sha256()
    processor = (
        _core().get_property("CPU", "FULL_DEVICE_NAME"),
        _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    )
    kept = {name: value for name, value in options.items() if name != "INFERENCE_NUM_THREADS"}
    for part in (
        _openvino().__version__,
        torch.__version__,
        _sources(),
        request.label,
        request.shapes,
        processor,
        kept,
    ):
        digest.update(repr(part).encode())
    for weight in request.weights:
        array = weight.detach().float().contiguous().numpy()
        digest.update(repr(array.shape).encode())
        digest.update(array.data)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _sources() -> str:
    """Digest of the code that is compiled."""
    digest = hashlib.sha256()
    for package in ("src_model.nn", "src_model.acceleration"):
        for content in sorted(_python_files(files(package))):
            digest.update(content)
    return digest.hexdigest()


def _python_files(folder: Traversable) -> list[bytes]:
    contents = []
    for item in folder.iterdir():
        if item.is_dir():
            contents += _python_files(item)
        elif item.name.endswith(".py"):
            contents.append(item.read_bytes())
    return contents
