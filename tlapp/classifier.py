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
from types import MappingProxyType
from typing import Final, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.bounds import shown
from tlapp.errors import RunError
from tlapp.files import write_atomically
from tlapp.messages import Message, Value, counted_message, message
from tlapp.stored import DamagedFileError, read_content, read_json, sealed

_FORMAT = 1
_JSON_NAME = "classifier.json"
MOST_TENSOR_BYTES = 2_000_000_000  # the largest backbone takes half a gigabyte
_HINT = message("Train again, or choose another run.")

Kind = Literal["head", "backbone"]  # of a file with tensors


@dataclass(frozen=True)
class _Flaw:
    """What is the matter with a file, as an error, and as a clause in the list of damages."""

    what: Message
    fault: Message

    def error(self) -> RunError:
        """What is said of it where the model is asked for; to be raised from its `cause`."""
        return RunError(self.what, hint=_HINT)

    def cause(self) -> DamagedFileError:
        """What is said of it among the damages."""
        return DamagedFileError(self.fault)


_STRANGE: Final[Mapping[Kind, _Flaw]] = MappingProxyType(
    {
        "head": _Flaw(
            message("{file} of this model names a strange head file.", file=_JSON_NAME),
            message("{file} of this model names a strange head file", file=_JSON_NAME),
        ),
        "backbone": _Flaw(
            message("{file} of this model names a strange backbone file.", file=_JSON_NAME),
            message("{file} of this model names a strange backbone file", file=_JSON_NAME),
        ),
    }
)
_DAMAGED: Final[Mapping[Kind, _Flaw]] = MappingProxyType(
    {
        "head": _Flaw(
            message("The head file of this model is damaged."),
            message("the head file of this model is damaged"),
        ),
        "backbone": _Flaw(
            message("The backbone file of this model is damaged."),
            message("the backbone file of this model is damaged"),
        ),
    }
)
_UNREADABLE: Final[Mapping[Kind, _Flaw]] = MappingProxyType(
    {
        "head": _Flaw(
            message("The head file of this model cannot be read."),
            message("the head file of this model cannot be read"),
        ),
        "backbone": _Flaw(
            message("The backbone file of this model cannot be read."),
            message("the backbone file of this model cannot be read"),
        ),
    }
)
_NO_DESCRIPTION = _Flaw(
    message("{file} of this model is damaged.", file=_JSON_NAME),
    message("{file} of this model is damaged", file=_JSON_NAME),
)
_NO_CLASS_NAMES = _Flaw(
    message("{file} of this model lacks its class names.", file=_JSON_NAME),
    message("{file} of this model lacks its class names", file=_JSON_NAME),
)
_HEAD_IS_NOT_FINITE = _Flaw(
    message("The head of this model holds values that are no numbers."),
    message("the head of this model holds values that are no numbers"),
)
_BACKBONE_IS_NOT_FINITE = _Flaw(
    message("The backbone of this model holds values that are no numbers."),
    message("the backbone of this model holds values that are no numbers"),
)
_BACKBONE_DOES_NOT_FIT = _Flaw(
    message("The backbone file of this model does not fit."),
    message("the backbone file of this model does not fit"),
)


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
        values = {"backbone": card.name}
        raise RunError(
            message(
                "This model was trained on other weights of {backbone} than the ones here.",
                **values,
            ),
            hint=message("Train again with the weights of this installation."),
        ) from DamagedFileError(
            message(
                "this model was trained on other weights of {backbone} than the ones here",
                **values,
            )
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
        raise RunError(message("There is no saved model here."), hint=_HINT) from error
    except DamagedFileError as error:
        what = message(
            "{file} of this model is damaged: {fault}.", file=_JSON_NAME, fault=error.fault
        )
        raise RunError(what, hint=_HINT) from error
    if not isinstance(description, dict) or not isinstance(description.get("format"), int):
        raise _NO_DESCRIPTION.error() from _NO_DESCRIPTION.cause()
    if description.get("format") != _FORMAT:
        values: dict[str, Value] = {
            "format": shown(description.get("format")),
            "known": _FORMAT,
        }
        raise RunError(
            message("This model has format {format}; only {known} can be read.", **values),
            hint=message("Open it with the version of tlapp that saved it, or train again."),
        ) from DamagedFileError(
            message("this model has format {format}; only {known} can be read", **values)
        )
    return description


def _text(description: Mapping[str, object], key: str) -> str:
    value = description.get(key)
    if not isinstance(value, str):
        missing = _Flaw(
            message("{file} of this model lacks '{key}'.", file=_JSON_NAME, key=key),
            message("{file} of this model lacks '{key}'", file=_JSON_NAME, key=key),
        )
        raise missing.error() from missing.cause()
    return value


def _list_of_names(description: Mapping[str, object]) -> list[str]:
    names = description.get("class_names")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise _NO_CLASS_NAMES.error() from _NO_CLASS_NAMES.cause()
    return names


def _read_tensors(folder: Path, kind: Kind, name: str) -> dict[str, Tensor]:
    """The tensors of a file that is named by its own hash."""
    digest = name.removeprefix(f"{kind}-").removesuffix(".safetensors")
    if len(digest) != 64 or not digest.isalnum() or name != f"{kind}-{digest}.safetensors":
        raise _STRANGE[kind].error() from _STRANGE[kind].cause()
    try:
        encoded = read_content(folder / name, MOST_TENSOR_BYTES)
        if hashlib.sha256(encoded).hexdigest() != digest:
            raise _DAMAGED[kind].error() from _DAMAGED[kind].cause()
        return read_tensors(encoded)
    except DamagedFileError as error:
        raise _UNREADABLE[kind].error() from error
    except (OSError, SafetensorError, ValueError):
        raise _UNREADABLE[kind].error() from _UNREADABLE[kind].cause()


def _head_does_not_fit(count: int) -> _Flaw:
    return _Flaw(
        counted_message(
            "The head of this model does not fit its {count} class.",
            "The head of this model does not fit its {count} classes.",
            count=count,
        ),
        counted_message(
            "the head of this model does not fit its {count} class",
            "the head of this model does not fit its {count} classes",
            count=count,
        ),
    )


def _read_head(
    folder: Path, description: Mapping[str, object], shape: tuple[int, int]
) -> nn.Linear:
    tensors = _read_tensors(folder, "head", _text(description, "head_file"))
    weight_KD, bias_K = tensors.get("weight"), tensors.get("bias")
    if weight_KD is None or bias_K is None or tuple(weight_KD.shape) != shape:
        unfit = _head_does_not_fit(shape[0])
        raise unfit.error() from unfit.cause()
    if bias_K.shape != (shape[0],) or not (weight_KD.isfinite().all() and bias_K.isfinite().all()):
        raise _HEAD_IS_NOT_FINITE.error() from _HEAD_IS_NOT_FINITE.cause()
    return make_linear(weight_KD.float(), bias_K.float())


def _fill_module(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict(dict(tensors), strict=True)
    except RuntimeError:  # its words name every tensor
        raise _BACKBONE_DOES_NOT_FIT.error() from _BACKBONE_DOES_NOT_FIT.cause()
    floats = (t for t in tensors.values() if t.is_floating_point())
    if not all(math.isfinite(float(torch.sum(t, dtype=torch.float64))) for t in floats):
        raise _BACKBONE_IS_NOT_FINITE.error() from _BACKBONE_IS_NOT_FINITE.cause()
