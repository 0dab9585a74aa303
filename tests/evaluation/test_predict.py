"""What is said about pictures."""

import pytest
import torch

from tests.training.tiny import Album, tiny_backbone
from tlapp.classifier import Classifier, make_linear
from tlapp.data.images import Picture
from tlapp.errors import PictureError
from tlapp.evaluation.predict import (
    features_of,
    head_predictions,
    imagenet_predictions,
    predict,
    predict_imagenet,
)


def classifier(class_count: int = 3) -> Classifier:
    backbone = tiny_backbone()
    weight_KD = torch.randn(
        class_count, backbone.feature_width, generator=torch.Generator().manual_seed(0)
    )
    names = tuple(f"class {index}" for index in range(class_count))
    return Classifier(backbone, make_linear(weight_KD, torch.zeros(class_count)), names)


def test_every_class_is_ranked_and_the_shares_sum_to_one() -> None:
    predictions = predict(classifier(), Album().pictures())
    assert len(predictions) == 24
    for prediction in predictions:
        shares = [ranked.probability for ranked in prediction.ranked]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
        assert {ranked.name for ranked in prediction.ranked} == {"class 0", "class 1", "class 2"}


def test_the_shares_are_those_of_the_scores() -> None:
    model, pictures = classifier(), Album().pictures()[:1]
    scores_NK = model.head(features_of(model.backbone, pictures))
    (prediction,) = predict(model, pictures)
    best = prediction.ranked[0]
    assert best.name == f"class {int(scores_NK.argmax())}"
    assert best.probability == pytest.approx(float(scores_NK.softmax(dim=1).max()))


def test_a_head_predicts_from_features_without_its_backbone() -> None:
    model, pictures = classifier(), Album().pictures()
    features_ND = features_of(model.backbone, pictures)
    assert head_predictions(model, features_ND) == predict(model, pictures)


def test_the_original_head_says_its_five_likeliest() -> None:
    backbone, pictures = tiny_backbone(), Album().pictures()[:2]
    first, _ = predict_imagenet(backbone, pictures)
    assert len(first.ranked) == 5
    assert all(ranked.name.startswith("thing ") for ranked in first.ranked)
    from_features = imagenet_predictions(backbone, features_of(backbone, pictures))[0]
    assert [r.name for r in from_features.ranked] == [r.name for r in first.ranked]


def test_no_pictures_give_no_predictions() -> None:
    assert predict(classifier(), ()) == ()
    assert predict_imagenet(tiny_backbone(), ()) == ()


def test_a_picture_says_the_same_alone_and_in_company() -> None:
    model, pictures = classifier(), Album().pictures()
    assert predict(model, pictures[3:4])[0] == predict(model, pictures)[3]


def test_a_damaged_picture_is_an_error_that_people_can_read() -> None:
    with pytest.raises(PictureError):
        predict(classifier(), (Picture("0" * 64, lambda _: b"no picture"),))
