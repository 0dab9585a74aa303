"""Features are those of the network, whoever shares the batch, and are computed once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.pictures import jpeg
from tlapp.backbones import features as features_module
from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.extractor import whole_backbone
from tlapp.backbones.features import (
    FeatureEvent,
    FeatureFinished,
    FeatureProgress,
    Features,
    FeatureStarted,
    FeatureStopped,
    extract_features,
)
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.errors import PictureError
from tlapp.messages import verbatim


def _never() -> bool:
    return False


def _picture(number: int) -> Picture:
    content = jpeg(number % 6, number, width=120 + number, height=100)
    return Picture(f"{number:064x}", lambda _: content)


@pytest.fixture(scope="module")
def lite0() -> Backbone:
    return load_backbone(find_card("efficientnet_lite0"), WeightsStore(Path("nowhere")))


@pytest.fixture(scope="module")
def small(lite0: Backbone) -> Backbone:
    """The same at 64 pixels: quick."""
    preprocess = replace(lite0.preprocess, resize_pixels=72, crop_pixels=64)
    return replace(lite0, preprocess=preprocess)


@pytest.fixture(scope="module")
def pictures() -> tuple[Picture, ...]:
    return tuple(_picture(number) for number in range(22))


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path, 10**8)


def _run(
    backbone: Backbone,
    pictures: tuple[Picture, ...],
    *,
    cache: FeatureCache | None = None,
    views: int = 0,
    seed: int = 0,
    should_stop: Callable[[], bool] = _never,
) -> list[FeatureEvent]:
    return list(
        extract_features(
            whole_backbone(backbone),
            pictures,
            cache=cache,
            views=views,
            seed=seed,
            should_stop=should_stop,
        )
    )


def _features(events: list[FeatureEvent]) -> Features:
    assert isinstance(events[-1], FeatureFinished)
    return events[-1].features


def _count_forwards(backbone: Backbone, seen: list[int]) -> Backbone:
    class Counting(nn.Module):
        def forward(self, x_NCHW: Tensor) -> Tensor:
            seen.append(len(x_NCHW))
            return backbone.fast_module(x_NCHW)

    return replace(backbone, module=Counting())


def test_features_are_those_of_the_network(lite0: Backbone, pictures: tuple[Picture, ...]) -> None:
    features_ND = _features(_run(lite0, pictures[:3])).features_ND
    for picture, row_D in zip(pictures, features_ND, strict=False):
        x_CHW = lite0.preprocess.apply(open_working_copy(picture.read()))
        with torch.inference_mode():
            torch.testing.assert_close(row_D, lite0.module(x_CHW[None])[0], rtol=1e-4, atol=1e-4)


def test_events_begin_and_end_as_promised(small: Backbone, pictures: tuple[Picture, ...]) -> None:
    events = _run(small, pictures)
    assert events[0] == FeatureStarted(total=22, cached=0)
    assert isinstance(events[-1], FeatureFinished)
    progress = [event for event in events if isinstance(event, FeatureProgress)]
    assert len(progress) == len(events) - 2
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    assert progress[-1].done == 22


@pytest.mark.parametrize("side", [64, 224])
def test_features_do_not_depend_on_the_company(
    lite0: Backbone, pictures: tuple[Picture, ...], side: int
) -> None:
    backbone = replace(
        lite0, preprocess=replace(lite0.preprocess, resize_pixels=side, crop_pixels=side)
    )
    count = 22 if side == 64 else 9
    chosen = pictures[:count]
    together_ND = _features(_run(backbone, chosen)).features_ND
    backwards_ND = _features(_run(backbone, chosen[::-1])).features_ND.flip(0)
    assert torch.equal(together_ND, backwards_ND)
    for first, last in ((0, 1), (1, 4), (4, count)):
        part_ND = _features(_run(backbone, chosen[first:last])).features_ND
        assert torch.equal(part_ND, together_ND[first:last])


def test_a_second_run_computes_nothing(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache, tmp_path: Path
) -> None:
    first = _features(_run(small, pictures, cache=cache))
    seen: list[int] = []
    counting = _count_forwards(small, seen)
    events = _run(counting, pictures[::-1], cache=FeatureCache(tmp_path, 10**8))
    assert events[0] == FeatureStarted(total=22, cached=22)
    assert torch.equal(_features(events).features_ND, first.features_ND.flip(0))
    assert not seen


def test_pictures_added_later_are_all_that_is_computed(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache
) -> None:
    _run(small, pictures[:12], cache=cache)
    seen: list[int] = []
    events = _run(_count_forwards(small, seen), pictures[:16], cache=cache)
    assert events[0] == FeatureStarted(total=16, cached=12)
    assert len(seen) <= 2
    assert torch.equal(
        _features(events).features_ND, _features(_run(small, pictures[:16])).features_ND
    )


def test_other_weights_or_preprocessing_do_not_meet_in_the_cache(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache
) -> None:
    _run(small, pictures[:2], cache=cache)
    for other in (
        replace(small, weights_hash="other"),
        replace(small, preprocess=replace(small.preprocess, resize_pixels=80)),
    ):
        assert _run(other, pictures[:2], cache=cache)[0] == FeatureStarted(total=2, cached=0)


def test_the_same_picture_twice_gets_the_same_features(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache
) -> None:
    for kept in (cache, None):
        rows_ND = _features(_run(small, (pictures[0],) * 3, cache=kept)).features_ND
        assert torch.equal(rows_ND[0], rows_ND[2])


def test_views_depend_on_seed_picture_and_number_alone(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache
) -> None:
    first = _features(_run(small, pictures[:5], views=3, seed=1))
    first_VND = torch.stack(first.views_ND)
    assert first_VND.shape == (3, 5, 1280)
    assert not torch.equal(first_VND[0], first_VND[1])
    again = _features(_run(small, pictures[2:5], views=2, seed=1, cache=cache))
    assert torch.equal(torch.stack(again.views_ND), first_VND[:2, 2:5])
    assert torch.equal(again.features_ND, first.features_ND[2:5])
    more = _features(_run(small, pictures[2:5], views=3, seed=1, cache=cache))
    assert torch.equal(torch.stack(more.views_ND), first_VND[:, 2:5])
    other = _features(_run(small, pictures[:5], views=3, seed=2))
    assert not torch.equal(torch.stack(other.views_ND), first_VND)


def test_stopping_ends_within_a_batch_and_keeps_what_was_computed(
    small: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache
) -> None:
    seen: list[int] = []
    counting = _count_forwards(small, seen)
    events = _run(counting, pictures, cache=cache, should_stop=lambda: len(seen) > 0)
    assert isinstance(events[-1], FeatureStopped)
    assert len(seen) < 6
    started = _run(small, pictures, cache=cache)[0]
    assert isinstance(started, FeatureStarted)
    assert 0 < started.cached < 22


def test_a_picture_that_cannot_be_read_is_told_and_no_thread_is_left(small: Backbone) -> None:
    def lost(_: str) -> bytes:
        raise PictureError(verbatim("cat/3.jpg is gone."), hint=verbatim("Import it again."))

    before = threading.active_count()
    bad = (*(_picture(number) for number in range(6)), Picture("f" * 64, lost), _picture(7))
    with pytest.raises(PictureError, match="gone"):
        _run(small, bad)
    assert threading.active_count() == before


def test_closing_the_generator_ends_the_threads(
    small: Backbone, pictures: tuple[Picture, ...]
) -> None:
    before = threading.active_count()
    events = extract_features(whole_backbone(small), pictures * 20, cache=None, should_stop=_never)
    next(events)
    while not isinstance(next(events), FeatureProgress):
        pass
    events.close()  # type: ignore[attr-defined]  # it is a generator
    assert threading.active_count() == before


def test_two_extractions_at_once_do_not_meet(
    small: Backbone, pictures: tuple[Picture, ...]
) -> None:
    expected_ND = _features(_run(small, pictures)).features_ND
    results: list[Tensor] = []

    def work() -> None:
        results.append(_features(_run(small, pictures)).features_ND)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert all(torch.equal(result, expected_ND) for result in results)


def test_features_reach_the_cache_while_others_are_still_computed(
    small: Backbone,
    pictures: tuple[Picture, ...],
    cache: FeatureCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features_module, "_KEEP_ROWS", 8)
    events = extract_features(whole_backbone(small), pictures * 4, cache=cache, should_stop=_never)
    while True:
        event = next(events)
        if isinstance(event, FeatureProgress) and event.done > 20:
            break
    assert cache.bytes_used() > 0
    list(events)


def test_no_pictures_give_no_features(small: Backbone) -> None:
    events = _run(small, ())
    assert events[0] == FeatureStarted(total=0, cached=0)
    assert _features(events).features_ND.shape == (0, 1280)


def test_the_rest_of_the_process_keeps_its_threads(
    small: Backbone, pictures: tuple[Picture, ...]
) -> None:
    def threads_of_a_fresh_thread() -> int:
        counts: list[int] = []
        thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        return counts[0]

    before = (torch.get_num_threads(), threads_of_a_fresh_thread())
    _run(small, pictures)
    assert (torch.get_num_threads(), threads_of_a_fresh_thread()) == before
