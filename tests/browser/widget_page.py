"""A page with nothing but the display widgets, to give them values and to see their events."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from playwright.sync_api import Browser, BrowserContext

from tests.browser.served import served
from tests.browser.tab import Tab
from tests.patience import STEP_MS
from tests.pictures import jpeg
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.widgets.backbone_cards import BackboneCard, BackboneCards, BackboneCardsValue
from tlapp.ui.widgets.class_list import ClassList, ClassListValue, ClassRow, SkippedRow
from tlapp.ui.widgets.ladder import Ladder, LadderPreset, LadderStage, LadderValue
from tlapp.ui.widgets.predictions import ClassBar, Predictions, PredictionsValue, TriedPicture
from tlapp.ui.widgets.rate_chart import RateChart, RateChartValue
from tlapp.ui.widgets.run_view import Curves, RunView, RunViewValue
from tlapp.ui.widgets.values import picture_address

HOSTILE_NAMES = (
    "<img src=x onerror=window.hacked=1>",
    "${window.hacked=1}",
    "{{value}}",
    "`+(window.hacked=1)+`",
    "**a**",
    "{count} {name}",
    "x" * 120,
)
WIDGETS = ("class_list", "cards", "ladder", "run_view", "rate_chart", "predictions")


@dataclass
class WidgetPage:
    """The served page: the values it shows next, and the events that arrived, newest last."""

    url: str = ""
    values: dict[str, Any] = field(default_factory=dict)  # by widget; missing: leave as it is
    events: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)
    pushes: int = 0

    def push(self) -> list[Any]:
        self.pushes += 1
        shown = [self.values.get(name, gr.skip()) for name in WIDGETS]
        self.values.clear()
        return [*shown, f"pushed {self.pushes}"]

    def write_down(self, kind: str, data: Any, given: Any) -> str:
        self.events.append((kind, dict(data._data), given))
        return f"event {len(self.events)}"


@contextmanager
def served_widget_page(folder: Path) -> Iterator[WidgetPage]:
    """Serve the page while the block runs; `folder` holds the server's temporary files."""
    widget_page = WidgetPage()
    with served(lambda: _build(widget_page), folder) as widget_page.url:
        yield widget_page


@contextmanager
def widget_tab(
    browser: Browser,
    widget_page: WidgetPage,
    *,
    size: tuple[int, int] = (1440, 900),
    theme: str = "light",
    less_motion: bool = True,
) -> Iterator[Tab]:
    """A tab on the page with every widget filled. What goes wrong in it fails the test."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce" if less_motion else "no-preference",
        color_scheme="dark" if theme == "dark" else "light",
    )
    context.set_default_timeout(STEP_MS)
    try:
        with tab_of(context, widget_page, theme=theme) as tab:
            yield tab
    finally:
        context.close()


@contextmanager
def tab_of(
    context: BrowserContext, widget_page: WidgetPage, *, theme: str = "light"
) -> Iterator[Tab]:
    """A tab of this browser context, as `widget_tab`."""
    tab = Tab(page=context.new_page())
    tab.watch()
    try:
        tab.page.goto(f"{widget_page.url}?__theme={theme}", wait_until="domcontentloaded")
        tab.page.wait_for_selector("#ladder .tl-lad-stage")
        tab.page.wait_for_selector("#push")
        # The real page says so when it knows its visitor; before, its zones take no clicks.
        tab.page.evaluate("() => document.documentElement.classList.add('tl-open')")
        yield tab
        assert tab.page.evaluate("() => window.hacked") is None
    finally:
        tab.page.close()
    problems = tab.unexpected_problems()
    assert not problems, "Seen in the browser:\n" + "\n".join(problems)


def push(tab: Tab, widget_page: WidgetPage, **values: Any) -> None:
    """Give widgets these values and wait until the page has them."""
    widget_page.values.update(values)
    wanted = f"pushed {widget_page.pushes + 1}"
    tab.page.locator("#push").click()
    _wait_for_word(tab, wanted)


def event_after(tab: Tab, widget_page: WidgetPage, count: int) -> tuple[str, dict[str, Any], Any]:
    """The event that arrives as the one after `count` events."""
    _wait_for_word(tab, f"event {count + 1}")
    return widget_page.events[count]


def _wait_for_word(tab: Tab, word: str) -> None:
    tab.page.wait_for_function(
        "word => document.querySelector('#said textarea').value === word", arg=word
    )


def _build(widget_page: WidgetPage) -> gr.Blocks:
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    with AppBlocks() as blocks:
        with gr.Row(elem_classes="tl-zones"):
            with gr.Column(elem_classes="tl-card"):
                class_list = ClassList(class_list_value(), elem_id="class-list")
            with gr.Column(elem_classes="tl-card"):
                cards = BackboneCards(cards_value(), elem_id="backbones")
                ladder = Ladder(ladder_value(), elem_id="ladder")
                run_view = RunView(empty_run(), elem_id="run-view")
                rate_chart = RateChart(rate_value(0), elem_id="rate-chart")
            with gr.Column(elem_classes="tl-card"):
                predictions = Predictions(predictions_value(), elem_id="predictions")
        push_button = gr.Button("Push", elem_id="push")
        said = gr.Textbox(label="What the server said", elem_id="said")
        outputs = [class_list, cards, ladder, run_view, rate_chart, predictions, said]
        push_button.click(widget_page.push, None, outputs, **quiet)

        def on_edit(event: gr.EventData) -> str:
            return widget_page.write_down("edit", event, None)

        def on_choose(given: Any, event: gr.EventData) -> str:
            return widget_page.write_down("choose", event, given)

        def on_fetch(event: gr.EventData) -> str:
            return widget_page.write_down("fetch", event, None)

        def on_lock(given: Any, event: gr.EventData) -> str:
            return widget_page.write_down("lock", event, given)

        def on_preset(event: gr.EventData) -> str:
            return widget_page.write_down("preset", event, None)

        def on_rate(event: gr.EventData) -> str:
            return widget_page.write_down("rate", event, None)

        class_list.edit(on_edit, None, said, **quiet)
        cards.choose(on_choose, cards, said, **quiet)
        cards.fetch(on_fetch, None, said, **quiet)
        ladder.lock(on_lock, ladder, said, **quiet)
        ladder.choose(on_preset, None, said, **quiet)
        ladder.rate(on_rate, None, said, **quiet)
    return blocks


# --- Values --------------------------------------------------------------------------------------


def class_list_value(names: tuple[str, ...] = ("dress", "hat", "shoes"), **more: Any) -> Any:
    """A list of these classes with 10, 11, 12... pictures."""
    picture = picture_address(jpeg(1, 0))
    rows = tuple(
        ClassRow(name, 10 + index, (picture,) * (6 if len(names) < 50 else 0))
        for index, name in enumerate(names)
    )
    return ClassListValue(
        summary=f"33 pictures in {len(names)} classes.",
        classes=rows,
        notes=("2 pictures are in both dress and hat.",),
        skipped_line="2 files were left out.",
        skipped=tuple(SkippedRow(name, "It is empty.") for name in HOSTILE_NAMES[:2]),
        **more,
    )


def cards_value(selected: str = "net0", count: int = 16, **more: Any) -> BackboneCardsValue:
    """Cards named net0, net1...; the even ones are ready."""
    cards = tuple(
        BackboneCard(
            name=f"net{index}",
            title=f"Network {index}",
            facts=("4.7 M parameters", "75 % ImageNet top-1", "86 pictures/s here"),
            ready=index % 2 == 0,
            weights="ready offline" if index % 2 == 0 else "download 45 MB",
            download="" if index % 2 == 0 else "offered",
        )
        for index in range(count)
    )
    return BackboneCardsValue(cards=cards, selected=selected, **more)


def ladder_value(*rates: float | None, **more: Any) -> LadderValue:
    """Three stages with these rates (none: all locked) and a head."""
    stem, first, second = rates or (None, None, None)
    return LadderValue(
        stages=(
            LadderStage("stem", "stem", 928, stem),
            LadderStage("stage 1", "stage 1", 46_000, first),
            LadderStage("stage 2", "stage 2", 2_000_000, second),
        ),
        head=LadderStage("head", "head", 7_686, 1e-3),
        presets=(LadderPreset("head", "Head only"), LadderPreset("last", "Last stage")),
        sentence="**7,686** of 2.1 M parameters learn.",
        replaced_layer="fc: 512 -> 1000 becomes 512 -> 6",
        **{"preset": "" if rates else "head", **more},
    )


def empty_run() -> RunViewValue:
    return RunViewValue(state="empty", status="Press Train.")


def run_value(count: int, total: int, *, state: Any = "running", **more: Any) -> RunViewValue:
    """A run after `count` of `total` epochs, with smooth curves; the best epoch is the last."""
    falling = tuple(0.25 + 1.5 * math.exp(-5 * epoch / total) for epoch in range(count))
    rising = tuple(0.875 - 0.7 * math.exp(-5 * epoch / total) for epoch in range(count))
    return RunViewValue(
        state=state,
        status=f"Epoch {count} of {total}.",
        run=more.pop("run", "a"),
        progress=count / total,
        total_epochs=total,
        epochs=Curves(
            train=falling,
            train_eval=falling,
            valid=tuple(loss + 0.25 for loss in falling),
            train_accuracy=rising,
            valid_accuracy=tuple(share - 0.05 for share in rising),
        ),
        best_epoch=count or None,
        **more,
    )


def rate_value(done: int, **more: Any) -> RateChartValue:
    """A search after so many of 100 rates, whose loss falls most at the 50th step."""
    rates = tuple(10 ** (-6 + 7 * step / 99) for step in range(done))
    losses = tuple(2 / (1 + math.exp((step - 49) / 6)) + 0.1 for step in range(done))
    return RateChartValue(
        status=f"Step {done} of 100.",
        is_running=0 < done < 100,
        progress=done / 100 if 0 < done < 100 else None,
        rates=rates,
        losses=losses,
        **more,
    )


def predictions_value(
    probability: float = 0.75, names: tuple[str, ...] = ("hat", "shoes", "dress")
) -> PredictionsValue:
    """Two pictures with answers and one that cannot be read."""
    rest = (1 - probability) / 2
    bars = tuple(
        ClassBar(name, share) for name, share in zip(names, (probability, rest, rest), strict=False)
    )
    picture = picture_address(jpeg(2, 0))
    return PredictionsValue(
        heading="Answers come from epoch 3 of this run.",
        pictures=(
            TriedPicture(key="a", name="a.jpg", thumbnail=picture, classes=bars),
            TriedPicture(key="b", name=HOSTILE_NAMES[0], thumbnail=picture, classes=bars),
            TriedPicture(key="c", name="c.jpg", error="c.jpg is damaged."),
        ),
    )
