"""A classifier on disk."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.catalog import Card
from tlapp.backbones.loading import Backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier, load_classifier, make_linear, save_classifier
from tlapp.errors import RunError, TlappError
from tlapp.evaluation.predict import predict
from tlapp.files import TEMPORARY_MARK
from tlapp.stored import DamagedFileError

HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>",
    "../../etc/passwd",
    '"; DROP TABLE "',
    "a\\b\x00\r\n\t",
    "Füße 帽子 👩‍🚀 \u202e",
    "lone surrogate \ud800",
    "",
    "x" * 5000,
)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsStore]:
    """A store whose only backbone is the tiny one."""

    def load(card: Card, weights: WeightsStore, *, pretrained: bool = True) -> Backbone:
        return tiny_backbone(pretrained=pretrained, seed=0 if pretrained else 999)

    monkeypatch.setattr("tlapp.classifier.load_backbone", load)
    yield WeightsStore(tmp_path / "weights")


def tiny_classifier(
    names: tuple[str, ...] = ("a", "b", "c"), *, is_trained: bool = False, pretrained: bool = True
) -> Classifier:
    backbone = tiny_backbone(pretrained=pretrained, seed=5 if is_trained or not pretrained else 0)
    backbone = replace(backbone, weights_hash="its own" if is_trained else backbone.weights_hash)
    generator = torch.Generator().manual_seed(1)
    head = make_linear(
        torch.randn(len(names), backbone.feature_width, generator=generator),
        torch.randn(len(names), generator=generator),
    )
    return Classifier(backbone, head, names, is_backbone_trained=is_trained)


@pytest.mark.parametrize("is_trained", [False, True])
@pytest.mark.parametrize("pretrained", [False, True])
def test_a_loaded_classifier_says_exactly_what_the_saved_one_said(
    tmp_path: Path, weights: WeightsStore, is_trained: bool, pretrained: bool
) -> None:
    saved = tiny_classifier(is_trained=is_trained, pretrained=pretrained)
    save_classifier(saved, tmp_path / "model")
    loaded = load_classifier(tmp_path / "model", weights)
    pictures = Album().pictures()
    assert predict(loaded, pictures) == predict(saved, pictures)
    assert loaded.is_backbone_trained == is_trained
    assert loaded.backbone.pretrained == pretrained
    assert loaded.backbone.weights_hash == saved.backbone.weights_hash
    assert not loaded.backbone.module.training
    assert not any(parameter.requires_grad for parameter in loaded.backbone.module.parameters())


@pytest.mark.parametrize(("is_trained", "files"), [(False, 2), (True, 3)])
def test_the_backbone_is_written_only_when_it_was_trained(
    tmp_path: Path, is_trained: bool, files: int
) -> None:
    save_classifier(tiny_classifier(is_trained=is_trained), tmp_path)
    assert len(list(tmp_path.iterdir())) == files


def test_saving_again_replaces_and_leaves_nothing_behind(
    tmp_path: Path, weights: WeightsStore
) -> None:
    save_classifier(tiny_classifier(is_trained=True), tmp_path)
    save_classifier(tiny_classifier(("x", "y")), tmp_path)
    assert load_classifier(tmp_path, weights).class_names == ("x", "y")
    assert len(list(tmp_path.iterdir())) == 2


def test_hostile_class_names_come_back_as_they_were(tmp_path: Path, weights: WeightsStore) -> None:
    save_classifier(tiny_classifier(HOSTILE_NAMES), tmp_path)
    assert load_classifier(tmp_path, weights).class_names == HOSTILE_NAMES


def test_a_full_disk_leaves_the_old_classifier(
    tmp_path: Path, weights: WeightsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_classifier(tiny_classifier(("old", "one")), tmp_path)
    for allowed in range(2):
        room = iter(range(allowed))

        def put(path: Path, target: Path, room: Iterator[int] = room) -> Path:
            if next(room, None) is None:
                raise OSError(28, "No space left on device")
            return path.rename(target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", put)
            with pytest.raises(OSError, match="space"):
                save_classifier(tiny_classifier(is_trained=True), tmp_path)
        assert load_classifier(tmp_path, weights).class_names == ("old", "one")
        assert not list(tmp_path.glob(f"{TEMPORARY_MARK}*"))


def refusal(folder: Path, weights: WeightsStore) -> TlappError:
    with pytest.raises(TlappError) as caught:
        load_classifier(folder, weights)
    assert str(folder) not in str(caught.value)
    assert caught.value.hint
    if isinstance(caught.value.__cause__, DamagedFileError):  # said as a clause among the damages
        sentence = str(caught.value)
        fault = str(caught.value.__cause__.fault)
        assert sentence.endswith(f"{fault[1:]}.")
    return caught.value


@pytest.mark.parametrize("kind", ["head", "backbone"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "no tensors"])
def test_a_torn_tensor_file_is_refused(
    tmp_path: Path, weights: WeightsStore, kind: str, damage: str
) -> None:
    save_classifier(tiny_classifier(is_trained=True), tmp_path)
    (path,) = tmp_path.glob(f"{kind}-*.safetensors")
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[-3] ^= 1
        path.write_bytes(content)
    else:
        path.write_bytes(b"\x80\x04 pickle?")
    assert kind in str(refusal(tmp_path, weights))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 99}', b'{"format": 1}'],
)
def test_a_torn_description_is_refused(
    tmp_path: Path, weights: WeightsStore, content: bytes
) -> None:
    save_classifier(tiny_classifier(), tmp_path)
    (tmp_path / "classifier.json").write_bytes(content)
    assert isinstance(refusal(tmp_path, weights), RunError)


def test_an_empty_folder_is_refused(tmp_path: Path, weights: WeightsStore) -> None:
    assert "no saved model" in str(refusal(tmp_path, weights))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("class_names", ["a", "b"]),
        ("class_names", []),
        ("class_names", "abc"),
        ("class_names", [1, 2, 3]),
        ("backbone", "my_network"),
        ("backbone", None),
        ("head_file", "../../secret.safetensors"),
        ("head_file", "/etc/passwd"),
        ("head_file", "head-" + "0" * 64 + ".safetensors"),
        ("weights_hash", "of other weights"),
        ("is_backbone_trained", True),
    ],
)
def test_a_description_that_was_tampered_with_is_refused(
    tmp_path: Path, weights: WeightsStore, key: str, value: object
) -> None:
    save_classifier(tiny_classifier(), tmp_path)
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    refusal(tmp_path, weights)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, weights: WeightsStore) -> None:
    classifier = tiny_classifier(is_trained=True)
    classifier.head.weight[0, 0] = float("nan")
    save_classifier(classifier, tmp_path / "head")
    assert "no numbers" in str(refusal(tmp_path / "head", weights))
    classifier = tiny_classifier(is_trained=True)
    next(classifier.backbone.module.parameters())[0, 0, 0, 0] = float("inf")
    save_classifier(classifier, tmp_path / "backbone")
    assert "no numbers" in str(refusal(tmp_path / "backbone", weights))


def test_a_backbone_of_another_shape_is_refused(tmp_path: Path, weights: WeightsStore) -> None:
    classifier = tiny_classifier(is_trained=True)
    other = replace(classifier.backbone, module=torch.nn.Linear(2, 2))
    save_classifier(replace(classifier, backbone=other), tmp_path)
    assert "does not fit" in str(refusal(tmp_path, weights))


def test_a_linear_is_made_without_touching_the_random_numbers_of_the_process() -> None:
    before = torch.random.get_rng_state()
    make_linear(torch.zeros(3, 4), torch.zeros(3))
    assert torch.equal(before, torch.random.get_rng_state())
