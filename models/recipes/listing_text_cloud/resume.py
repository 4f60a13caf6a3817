"""The published weights as a start for further training: what a machine without a fast processor can afford."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from models import manifest, runtime
from models.recipes.listing_text_cloud import backbone

MODEL, VARIANT = "listing-text-cloud", "int8"


def published(labels: int, options: dict[str, Any]) -> tuple[backbone.Classifier, str]:
    """The network with the published weights, rounded to INT8 as they are, and the hex SHA-256 of their file. Raises
    ModelUnavailable."""
    about = manifest.model(manifest.load(), MODEL)["variants"][VARIANT]
    content = runtime.variant_bytes(MODEL, VARIANT)
    model = backbone.Classifier(labels, options)
    state = model.state_dict()
    stored = numbers(onnx.load_from_string(content))
    for name, old in state.items():
        if name == "kinds.weight":  # folded into the places
            state[name] = torch.zeros_like(old)
        elif (found := weight_of(name, stored)) is not None:
            state[name] = torch.from_numpy(found.astype(np.float32))
        else:
            raise manifest.ModelUnavailable(f"The published {MODEL} has no {name}. Train it without --go-on.")
    model.load_state_dict(state)
    return model, str(about["sha256"])


def numbers(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """Initialisers by name, those stored as INT8 beside a scale as the float32 they stand for."""
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    for name in [each for each in stored if each.endswith(".int8")]:
        plain = name.removesuffix(".int8")
        stored[plain] = stored[name].astype(np.float32) * stored[f"{plain}.scale"]
    return stored


def weight_of(name: str, stored: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
    """A tensor of `backbone.Classifier` out of the graph's numbers; None where there is none."""
    table = name.removesuffix(".weight")
    if f"{name}_quantized" in stored:  # a product's second operand [in, out]
        whole = stored[f"{name}_quantized"].astype(np.float32) - stored[f"{name}_zero_point"]
        return np.ascontiguousarray((whole * stored[f"{name}_scale"]).T)
    return stored.get(name, stored.get(table.removeprefix("wide.")))
