"""Test pictures: one broken one harms no other, and asking again costs only the head."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import BROKEN, jpeg, turned_jpeg
from tests.runs.examples import make_classifier
from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.errors import DataError
from tlapp.evaluation.test_pictures import (
    TestAnswer,
    pack_test_pictures,
    prepare_test_pictures,
    unpack_test_pictures,
)
from tlapp.messages import NOTHING, Message, verbatim
from tlapp.settings import LOCAL_LIMITS, Limits


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    weights = WeightsStore(tmp_path_factory.mktemp("weights"))
    return load_backbone(find_card("efficientnet_lite0"), weights)


def _imagenet_answers(
    backbone: Backbone, raw: Sequence[tuple[str, bytes]]
) -> tuple[TestAnswer, ...]:
    return prepare_test_pictures(raw, LOCAL_LIMITS).imagenet_answers(backbone)


def test_a_broken_picture_has_its_reason_and_the_others_their_answers(backbone: Backbone) -> None:
    raw = [("good.jpg", jpeg()), *((name, make()) for name, make in BROKEN.items())]
    results = _imagenet_answers(backbone, [*raw, ("last.jpg", jpeg(1))])
    assert [result.name for result in results] == [*(name for name, _ in raw), "last.jpg"]
    for result in results:
        if result.name in ("good.jpg", "last.jpg"):
            assert (len(result.ranked), result.error) == (5, NOTHING)
            assert result.thumbnail.startswith(b"\xff\xd8")
        else:
            assert (result.ranked, result.thumbnail) == ((), b"")
            assert result.name in str(result.error)


def test_pictures_that_are_all_broken_need_no_backbone_pass(backbone: Backbone) -> None:
    assert [result.ranked for result in _imagenet_answers(backbone, [("empty.jpg", b"")])] == [()]


def test_a_turned_photo_gets_the_answer_of_the_upright_one(backbone: Backbone) -> None:
    raw = [(f"{turn}.jpg", turned_jpeg(turn)) for turn in range(1, 9)]
    names = {result.ranked[0].name for result in _imagenet_answers(backbone, raw)}
    assert len(names) == 1


def test_asking_again_after_an_epoch_runs_no_backbone(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = prepare_test_pictures([("a.jpg", jpeg()), ("b.jpg", jpeg(1))], LOCAL_LIMITS)
    pictures.imagenet_answers(backbone)
    monkeypatch.setattr("tlapp.evaluation.test_pictures.features_of", None)  # a call would fail
    for epoch in (1, 2):
        answers = pictures.answers(make_classifier(backbone, epoch))
        assert [item.name for item in answers[0].ranked] == ["cat", "dog"]


def test_too_many_pictures_are_refused_with_the_limit(limits: Limits) -> None:
    with pytest.raises(DataError, match="3 test pictures") as refused:
        prepare_test_pictures([("a.jpg", jpeg())] * 3, replace(limits, try_images=2))
    assert refused.value.hint.value("most") == 2


def test_the_reason_of_a_broken_picture_is_kept_as_a_message(tmp_path: Path) -> None:
    pictures = prepare_test_pictures([("broken.jpg", b"no picture")], LOCAL_LIMITS)
    path = tmp_path / "kept.zip"
    path.write_bytes(pack_test_pictures(pictures))
    assert unpack_test_pictures(path).entries == pictures.entries
    with zipfile.ZipFile(path) as archive:
        ((_, _, kept),) = json.loads(archive.read("pictures.json"))
    assert Message.from_json(kept) == pictures.entries[0].error


def test_a_reason_that_an_earlier_version_kept_opens_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kept.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pictures.json", json.dumps([("a.jpg", "", "a.jpg is {empty}.")]))
    (entry,) = unpack_test_pictures(path).entries
    assert entry.error == verbatim("a.jpg is {empty}.")
