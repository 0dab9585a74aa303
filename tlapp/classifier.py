"""A classifier: backbone + head + class names, in memory and on disk.

On disk: tensor files named by their own SHA-256, and `classifier.json`, which names them and is
replaced last in one step, so that a folder holds the old classifier or the new one, never a mix.
N pictures, D feature width, K classes.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.errors import RunError
from tlapp.files import write_atomically
from tlapp.stored import DamagedFileError, read_content, read_json, sealed

_FORMAT = 1
_JSON_NAME = "classifier.json"
MOST_TENSOR_BYTES = 2_000_000_000  # the largest backbone takes half a gigabyte
_HINT = "Train again, or choose another run."


@dataclass(frozen=True, eq=False)
class Classifier:
    """Everything that turns a picture into shares per class. Nobody changes it afterwards."""

    backbone: Backbone  # after an unfrozen training it holds the trained module
    head: nn.Linear  # features_ND -> scores_NK
    class_names: tuple[str, ...]
    is_backbone_trained: bool = False  # True: its weights are no longer the published ones


def make_linear(weight_KD: Tensor, bias_K: Tensor) -> nn.Linear:
    """A fixed Linear with exactly these values, made without the process's random numbers."""
    head = nn.Linear(weight_KD.shape[1], weight_KD.shape[0], device="meta")
    head.weight = nn.Parameter(weight_KD, requires_grad=False)
    head.bias = nn.Parameter(bias_K, requires_grad=False)
    return head.eval()


def save_classifier(classifier: Classifier, folder: Path) -> None:
    """Write the classifier into `folder` (made if needed), in place of the one that was there.

    The backbone's weights are written only when they are not the published ones. No pickle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backbone = classifier.backbone
    is_own = classifier.is_backbone_trained or not backbone.pretrained
    head_name = _write_tensors(folder, "head", classifier.head.state_dict())
    backbone_name = (
        _write_tensors(folder, "backbone", backbone.module.state_dict()) if is_own else ""
    )
    description = {
        "format": _FORMAT,
        "backbone": backbone.card.name,
        "pretrained": backbone.pretrained,
        "is_backbone_trained": classifier.is_backbone_trained,
        "weights_hash": backbone.weights_hash,
        "class_names": list(classifier.class_names),
        "head_file": head_name,
        "backbone_file": backbone_name,
    }
    write_atomically(folder / _JSON_NAME, sealed(description, indent=1))
    for path in folder.glob("*.safetensors"):
        if path.name not in (head_name, backbone_name):
            path.unlink(missing_ok=True)


def load_classifier(folder: Path, weights: WeightsStore) -> Classifier:
    """The classifier saved in `folder`; it scores exactly as the saved one.

    Raises RunError when files are missing, torn or changed, and BackboneError when the published
    weights it stands on are not on this machine.
    """
    description = _read_description(folder)
    class_names = tuple(_list_of_names(description))
    card = find_card(_text(description, "backbone"))
    is_pretrained = description.get("pretrained") is True
    is_trained = description.get("is_backbone_trained") is True
    is_own = is_trained or not is_pretrained
    backbone = load_backbone(card, weights, pretrained=not is_own)
    if is_own:
        tensors = _read_tensors(folder, "backbone", _text(description, "backbone_file"))
        _fill_module(backbone.module, tensors)
        backbone = replace(
            backbone, pretrained=is_pretrained, weights_hash=_text(description, "weights_hash")
        )
    elif backbone.weights_hash != _text(description, "weights_hash"):
        raise RunError(
            f"This model was trained on other weights of {card.name} than the ones here.",
            hint="Train again with the weights of this installation.",
        )
    head = _read_head(folder, description, (len(class_names), backbone.feature_width))
    return Classifier(backbone, head, class_names, is_backbone_trained=is_trained)


def check_description(folder: Path) -> None:
    """Raise RunError unless what is saved in `folder` says what it is; reads no tensors."""
    description = _read_description(folder)
    _list_of_names(description)
    for key in ("backbone", "weights_hash", "head_file"):
        _text(description, key)


def check_saved(folder: Path) -> None:
    """Raise RunError unless what is saved in `folder` is whole; loads no backbone."""
    check_description(folder)
    description = _read_description(folder)
    _read_tensors(folder, "head", _text(description, "head_file"))
    if description.get("backbone_file"):
        _read_tensors(folder, "backbone", _text(description, "backbone_file"))


def _write_tensors(folder: Path, kind: str, tensors: Mapping[str, Tensor]) -> str:
    encoded = write_tensors({name: tensor.contiguous() for name, tensor in tensors.items()})
    name = f"{kind}-{hashlib.sha256(encoded).hexdigest()}.safetensors"
    if not (folder / name).exists():
        write_atomically(folder / name, encoded)
    return name


def _read_description(folder: Path) -> dict[str, object]:
    try:
        description = read_json(folder / _JSON_NAME)
    except FileNotFoundError as error:
        raise RunError("There is no saved model here.", hint=_HINT) from error
    except DamagedFileError as fault:
        raise RunError(f"{_JSON_NAME} of this model is damaged: {fault}.", hint=_HINT) from fault
    if not isinstance(description, dict) or not isinstance(description.get("format"), int):
        raise RunError(f"{_JSON_NAME} of this model is damaged.", hint=_HINT)
    if description.get("format") != _FORMAT:
        raise RunError(
            f"This model has format {description.get('format')!r}; only {_FORMAT} can be read.",
            hint="Open it with the version of tlapp that saved it, or train again.",
        )
    return description


def _text(description: Mapping[str, object], key: str) -> str:
    value = description.get(key)
    if not isinstance(value, str):
        raise RunError(f"{_JSON_NAME} of this model lacks '{key}'.", hint=_HINT)
    return value


def _list_of_names(description: Mapping[str, object]) -> list[str]:
    names = description.get("class_names")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise RunError(f"{_JSON_NAME} of this model lacks its class names.", hint=_HINT)
    return names


def _read_tensors(folder: Path, kind: str, name: str) -> dict[str, Tensor]:
    """The tensors of a file that is named by its own hash."""
    digest = name.removeprefix(f"{kind}-").removesuffix(".safetensors")
    if len(digest) != 64 or not digest.isalnum() or name != f"{kind}-{digest}.safetensors":
        raise RunError(f"{_JSON_NAME} of this model names a strange {kind} file.", hint=_HINT)
    try:
        encoded = read_content(folder / name, MOST_TENSOR_BYTES)
        if hashlib.sha256(encoded).hexdigest() != digest:
            raise RunError(f"The {kind} file of this model is damaged.", hint=_HINT)
        return read_tensors(encoded)
    except (OSError, SafetensorError, ValueError, DamagedFileError) as error:
        raise RunError(f"The {kind} file of this model cannot be read.", hint=_HINT) from error


def _read_head(
    folder: Path, description: Mapping[str, object], shape: tuple[int, int]
) -> nn.Linear:
    tensors = _read_tensors(folder, "head", _text(description, "head_file"))
    weight_KD, bias_K = tensors.get("weight"), tensors.get("bias")
    if weight_KD is None or bias_K is None or tuple(weight_KD.shape) != shape:
        raise RunError(f"The head of this model does not fit its {shape[0]} classes.", hint=_HINT)
    if bias_K.shape != (shape[0],) or not (weight_KD.isfinite().all() and bias_K.isfinite().all()):
        raise RunError("The head of this model holds values that are no numbers.", hint=_HINT)
    return make_linear(weight_KD.float(), bias_K.float())


def _fill_module(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict(dict(tensors), strict=True)
    except RuntimeError as error:
        raise RunError("The backbone file of this model does not fit.", hint=_HINT) from error
    floats = (t for t in tensors.values() if t.is_floating_point())
    if not all(math.isfinite(float(torch.sum(t, dtype=torch.float64))) for t in floats):
        raise RunError("The backbone of this model holds values that are no numbers.", hint=_HINT)
