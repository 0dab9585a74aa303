"""The display widgets in a real browser: words as text, nodes kept, keyboard, contrast."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.tab import Tab
from tests.browser.widget_page import (
    HOSTILE_NAMES,
    WidgetPage,
    cards_value,
    class_list_value,
    empty_run,
    event_after,
    ladder_value,
    predictions_value,
    push,
    run_value,
    served_widget_page,
    tab_of,
    widget_tab,
)
from tests.patience import STEP_MS
from tlapp.ui.widgets.backbone_cards import BackboneCard, BackboneCardsValue
from tlapp.ui.widgets.predictions import PredictionsValue
from tlapp.ui.widgets.run_view import Curves

pytestmark = pytest.mark.browser

RULES = (
    "color-contrast",
    "nested-interactive",
    "scrollable-region-focusable",
    "button-name",
    "label",
    "image-alt",
    "svg-img-alt",
    "list",
    "listitem",
    "aria-allowed-attr",
    "aria-allowed-role",
    "aria-required-attr",
    "aria-required-children",
    "aria-valid-attr-value",
    "aria-input-field-name",
    "aria-progressbar-name",
    "aria-toggle-field-name",
    "aria-hidden-focus",
)


@pytest.fixture(scope="module")
def widget_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WidgetPage]:
    with served_widget_page(tmp_path_factory.mktemp("gradio")) as page:
        yield page


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for most tests: Gradio's scripts are then read from the browser's cache."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    opened.set_default_timeout(STEP_MS)
    yield opened
    opened.close()


@pytest.fixture
def tab(context: BrowserContext, widget_page: WidgetPage) -> Iterator[Tab]:
    with tab_of(context, widget_page) as opened:
        yield opened


def path_points(tab: Tab, chart: str) -> int:
    """How many points the held-out curve has at this moment."""
    points: int = tab.page.evaluate(
        "chart => (document.querySelector(`${chart} .tl-s-valid`).getAttribute('d') ?? '')"
        ".split(/[ML]/).length - 1",
        chart,
    )
    return points


# --- All of them ---------------------------------------------------------------------------------


def test_hostile_names_are_shown_literally_and_run_nothing(
    tab: Tab, widget_page: WidgetPage
) -> None:
    card = BackboneCard(
        name="x", title=HOSTILE_NAMES[0], facts=HOSTILE_NAMES, ready=False,
        weights=HOSTILE_NAMES[1], download="failed",
    )  # fmt: skip
    push(
        tab,
        widget_page,
        class_list=class_list_value(HOSTILE_NAMES),
        predictions=predictions_value(names=HOSTILE_NAMES[:3]),
        cards=BackboneCardsValue(cards=(card,), selected="x"),
        run_view=run_value(3, 9, accuracy_note=HOSTILE_NAMES[1]),
    )
    names = tab.page.locator("#class-list .tl-cl-name")
    assert names.all_text_contents() == list(HOSTILE_NAMES)
    assert tab.page.locator(".tl-pr-item").first.locator(".tl-pr-class").all_text_contents() == [
        *HOSTILE_NAMES[:3]
    ]
    expect(tab.page.locator(".tl-bb-title")).to_have_text(HOSTILE_NAMES[0])
    tab.page.locator("#class-list summary").click()
    expect(tab.page.locator(".tl-cl-skipped-list b").first).to_have_text(HOSTILE_NAMES[0])
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.locator("[data-action=merge]").first.click()
    assert tab.page.locator("#class-list option").all_text_contents() == list(HOSTILE_NAMES[1:])
    assert tab.page.locator("img[src='x']").count() == 0


def test_an_update_keeps_every_node_that_it_can(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(3, 30))
    kept = (
        ".tl-cl-row", ".tl-cl-row img", ".tl-bb", ".tl-bb-radio", ".tl-lad-stage", ".tl-run-line",
        ".tl-run-grid", ".tl-run-legend li", ".tl-pr-item", ".tl-pr-image", ".tl-pr-row",
    )  # fmt: skip
    mark = """selectors => selectors.map(selector => {
        const nodes = [...document.querySelectorAll(selector)];
        nodes.forEach(node => { node.isOld = true; });
        return nodes.length;
    })"""
    before = tab.page.evaluate(mark, list(kept))
    assert all(before), dict(zip(kept, before, strict=True))
    push(
        tab,
        widget_page,
        class_list=class_list_value(),
        cards=cards_value("net1"),
        ladder=ladder_value(1e-5, 1e-5, 1e-4),
        run_view=run_value(4, 30),
        predictions=predictions_value(0.5, ("shoes", "hat", "dress")),
    )
    expect(tab.page.locator(".tl-pr-percent").first).to_have_text("50\u00a0%")
    old = tab.page.evaluate(
        "selectors => selectors.map(selector => [...document.querySelectorAll(selector)]"
        ".filter(node => node.isOld).length)",
        list(kept),
    )
    assert old == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_contrast_failure_and_no_broken_role_in_any_state(
    theme: str, browser: Browser, widget_page: WidgetPage
) -> None:
    with widget_tab(browser, widget_page, theme=theme) as tab:
        assert tab.accessibility_failures(RULES) == []
        tab.page.get_by_role("button", name="All 16 backbones").click()
        tab.page.get_by_role("button", name="Edit classes").click()
        tab.page.get_by_role("switch").click()
        tab.page.locator("#class-list summary").click()
        push(
            tab,
            widget_page,
            class_list=class_list_value(tuple(f"class {index}" for index in range(30))),
            run_view=run_value(30, 30, state="finished", interval=(0.7, 0.9)),
            predictions=predictions_value(),
        )
        tab.page.locator("[data-action=remove]").first.click()
        assert tab.accessibility_failures(RULES) == []


def test_a_widget_without_a_value_leaves_no_gap(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, class_list=None, predictions=None)
    expect(tab.page.locator("#class-list")).to_be_hidden()
    expect(tab.page.locator("#predictions")).to_be_hidden()


def test_nothing_is_wider_than_a_phone(browser: Browser, widget_page: WidgetPage) -> None:
    with widget_tab(browser, widget_page, size=(360, 740)) as tab:
        push(
            tab,
            widget_page,
            class_list=class_list_value(HOSTILE_NAMES),
            run_view=run_value(30, 30),
            predictions=predictions_value(names=(HOSTILE_NAMES[6], "b", "c")),
        )
        tab.page.get_by_role("button", name="Edit classes").click()
        assert tab.overflow_pixels() == 0


# --- Classes -------------------------------------------------------------------------------------


def test_a_class_is_renamed_with_the_keyboard_alone(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    edit = tab.page.get_by_role("button", name="Edit classes")
    edit.focus()
    edit.press("Enter")
    rename = tab.page.get_by_role("button", name="Rename hat")
    rename.press("Enter")
    field = tab.page.get_by_role("textbox", name="New name of hat")
    expect(field).to_be_focused()
    field.fill("cap")
    field.press("Escape")
    expect(rename).to_be_focused()
    rename.press("Enter")
    field.fill("  cap ")
    field.press("Enter")
    kind, data, _ = event_after(tab, widget_page, count)
    assert (kind, data) == (
        "edit",
        {"action": "rename", "index": 1, "class_name": "hat", "name": "cap"},
    )
    widget_page.values["class_list"] = class_list_value(("dress", "cap", "shoes"))
    tab.page.evaluate("() => document.querySelector('#push').click()")
    expect(tab.page.get_by_role("button", name="Rename cap")).to_be_focused()


def test_arrow_keys_go_from_row_to_row_in_the_edit_mode(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Remove dress").focus()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("button", name="Remove hat")).to_be_focused()


def test_a_class_is_merged_into_the_chosen_one(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Merge shoes into another class").click()
    tab.page.get_by_role("combobox", name="Merge into").select_option("hat")
    tab.page.get_by_role("button", name="Merge", exact=True).click()
    _, data, _ = event_after(tab, widget_page, count)
    assert data == {"action": "merge", "index": 2, "class_name": "shoes", "target": 1}


def test_a_class_is_removed_only_after_a_second_press(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Remove dress").click()
    expect(tab.page.get_by_text("Leave out all of it?")).to_be_visible()
    assert len(widget_page.events) == count
    tab.page.get_by_role("button", name="Remove dress").click()
    _, data, _ = event_after(tab, widget_page, count)
    assert data == {"action": "remove", "index": 0, "class_name": "dress"}


def test_a_name_that_another_class_has_asks_to_merge_the_two(
    tab: Tab, widget_page: WidgetPage
) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Rename dress").click()
    tab.page.get_by_role("textbox", name="New name of dress").fill("SHOES")
    tab.page.keyboard.press("Enter")
    choice = tab.page.get_by_role("combobox", name="There is a class shoes already. Merge into")
    expect(choice).to_have_value("2")
    tab.page.get_by_role("button", name="Merge", exact=True).click()
    _, data, _ = event_after(tab, widget_page, count)
    assert data == {"action": "merge", "index": 0, "class_name": "dress", "target": 2}


def test_a_long_name_is_sent_whole(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Rename dress").click()
    tab.page.get_by_role("textbox", name="New name of dress").fill("x" * 300)
    tab.page.keyboard.press("Enter")
    _, data, _ = event_after(tab, widget_page, count)
    assert data["name"] == "x" * 300


def test_the_last_change_is_taken_back_once(tab: Tab, widget_page: WidgetPage) -> None:
    undo = tab.page.get_by_role("button", name="Undo", exact=True)
    expect(undo).to_be_hidden()
    push(tab, widget_page, class_list=class_list_value(can_undo=True))
    count = len(widget_page.events)
    undo.click()
    _, data, _ = event_after(tab, widget_page, count)
    assert data == {"action": "undo"}
    expect(undo).to_be_hidden()
    expect(tab.page.get_by_role("button", name="Edit classes")).to_be_focused()


def test_another_data_set_is_shown_without_what_was_open(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, class_list=class_list_value(dataset="first"))
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_text("2 files were left out.").click()
    push(tab, widget_page, class_list=class_list_value(dataset="first", can_undo=True))
    expect(tab.page.get_by_role("button", name="Rename dress")).to_be_visible()
    expect(tab.page.get_by_text("It is empty.").first).to_be_visible()
    push(tab, widget_page, class_list=class_list_value(dataset="second"))
    expect(tab.page.get_by_role("button", name="Rename dress")).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Edit classes")).to_be_visible()
    expect(tab.page.get_by_text("It is empty.").first).to_be_hidden()


def test_a_thousand_classes_scroll_inside_their_list(tab: Tab, widget_page: WidgetPage) -> None:
    names = tuple(f"class {index}" for index in range(1000))
    push(tab, widget_page, class_list=class_list_value(names))
    expect(tab.page.locator(".tl-cl-row")).to_have_count(1000)
    box = tab.page.locator("#class-list").bounding_box()
    assert box is not None
    assert box["height"] < 620
    tab.page.locator(".tl-cl-scroll").focus()
    tab.page.keyboard.press("End")
    tab.page.wait_for_function("() => document.querySelector('.tl-cl-scroll').scrollTop > 10000")


def test_what_was_left_out_is_listed_on_request(tab: Tab) -> None:
    expect(tab.page.get_by_text("It is empty.").first).to_be_hidden()
    tab.page.get_by_text("2 files were left out.").click()
    expect(tab.page.get_by_text("It is empty.").first).to_be_visible()


def test_classes_cannot_be_edited_while_a_training_uses_them(
    tab: Tab, widget_page: WidgetPage
) -> None:
    tab.page.get_by_role("button", name="Edit classes").click()
    push(tab, widget_page, class_list=class_list_value(can_edit=False))
    expect(tab.page.get_by_role("button", name="Edit classes")).to_be_hidden()
    expect(tab.page.locator("[data-action]")).to_have_count(0)


# --- Backbones and ladder ------------------------------------------------------------------------


def test_arrow_keys_choose_a_backbone_and_the_listener_gets_its_name(
    tab: Tab, widget_page: WidgetPage
) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("radio", name="Network 0").focus()
    tab.page.keyboard.press("ArrowRight")
    assert event_after(tab, widget_page, count) == ("choose", {"name": "net1"}, "net1")
    expect(tab.page.get_by_role("radio", name="Network 1")).to_be_checked()


def test_the_other_backbones_are_shown_on_request_and_the_chosen_one_always(
    tab: Tab, widget_page: WidgetPage
) -> None:
    shown = tab.page.locator(".tl-bb:visible")
    expect(shown).to_have_count(4)
    push(tab, widget_page, cards=cards_value("net9"))
    expect(shown).to_have_count(4)
    expect(tab.page.get_by_role("radio", name="Network 9")).to_be_checked()
    more = tab.page.get_by_role("button", name="All 16 backbones")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    expect(shown).to_have_count(16)


def test_a_download_is_asked_for_and_its_progress_shown(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="download 45 MB: Network 1").click()
    assert event_after(tab, widget_page, count)[:2] == ("fetch", {"name": "net1"})
    card = BackboneCard(
        name="net1", title="Network 1", facts=(), ready=False, weights="20 of 45 MB",
        download="running", progress=0.44,
    )  # fmt: skip
    push(tab, widget_page, cards=BackboneCardsValue(cards=(card,), selected="net1"))
    bar = tab.page.get_by_role("progressbar", name="Download of Network 1")
    expect(bar).to_have_attribute("aria-valuenow", "44")
    expect(tab.page.locator(".tl-bb-download")).to_be_hidden()


def test_the_switch_answers_at_once_and_tells_the_server(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    switch = tab.page.get_by_role("switch", name="Freeze the backbone")
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(tab.page.locator(".tl-learns")).to_have_count(1)
    switch.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(tab.page.locator(".tl-learns")).to_have_count(4)
    assert event_after(tab, widget_page, count) == ("lock", {}, ())


def test_a_padlock_opens_and_closes_by_keyboard(tab: Tab, widget_page: WidgetPage) -> None:
    count = len(widget_page.events)
    top = tab.page.get_by_role("button", name="stage 2: 2.0 M parameters, frozen")
    expect(top).to_have_attribute("aria-pressed", "true")
    top.press("Enter")
    assert event_after(tab, widget_page, count) == ("lock", {}, ("stem", "stage 1"))
    opened = tab.page.get_by_role("button", name="stage 2: 2.0 M parameters, learning")
    expect(opened).to_have_attribute("aria-pressed", "false")
    opened.press("Space")
    assert event_after(tab, widget_page, count + 1)[2] == ("stem", "stage 1", "stage 2")


def test_a_preset_is_asked_for_and_the_chosen_one_is_marked(
    tab: Tab, widget_page: WidgetPage
) -> None:
    count = len(widget_page.events)
    tab.page.get_by_role("button", name="Last stage").click()
    assert event_after(tab, widget_page, count)[:2] == ("preset", {"name": "last"})
    doubt = "Stem learns below stage 1, which is locked."
    push(tab, widget_page, ladder=ladder_value(1e-5, None, 1e-4, preset="last", doubts=(doubt,)))
    chosen = tab.page.get_by_role("button", name="Last stage")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(tab.page.get_by_text(doubt)).to_be_visible()


def test_each_stage_can_be_given_a_rate_of_its_own(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, ladder=ladder_value(None, None, 1e-4))
    tab.page.get_by_text("Learning rate of each stage").click()
    field = tab.page.get_by_role("spinbutton", name="stage 2")
    expect(field).to_have_value("1e-4")
    count = len(widget_page.events)
    field.fill("0.00002")
    field.press("Enter")
    assert event_after(tab, widget_page, count)[:2] == ("rate", {"stage": "stage 2", "rate": 2e-5})
    expect(tab.page.get_by_role("spinbutton")).to_have_count(1)


# --- The run -------------------------------------------------------------------------------------


def test_the_run_view_is_as_high_empty_as_with_curves(tab: Tab, widget_page: WidgetPage) -> None:
    def height() -> float:
        box = tab.page.locator("#run-view").bounding_box()
        assert box is not None
        return box["height"]

    empty = height()
    expect(tab.page.locator(".tl-run-empty").first).to_be_visible()
    for value in (
        run_value(0, 30, state="preparing"),
        run_value(12, 30),
        run_value(30, 30, state="finished", interval=(0.7, 0.9)),
    ):
        push(tab, widget_page, run_view=value)
        assert height() == empty
    expect(tab.page.locator(".tl-run-empty").first).to_be_hidden()


def test_values_are_read_epoch_by_epoch_with_arrow_keys(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(10, 10, state="finished"))
    loss = tab.page.get_by_role("slider", name="Loss")
    loss.focus()
    tab.page.keyboard.press("Home")
    expect(loss).to_have_attribute("aria-valuenow", "1")
    tab.page.keyboard.press("ArrowRight")
    expect(loss).to_have_attribute(
        "aria-valuetext",
        "Epoch 2, learned from, while learning 1.16, learned from, measured after 1.16, "
        "held out 1.41",
    )
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("End")
    expect(tab.page.get_by_role("slider", name="Accuracy")).to_have_attribute("aria-valuenow", "10")


def test_a_phase_that_begins_later_is_marked_in_both_charts(
    tab: Tab, widget_page: WidgetPage
) -> None:
    push(tab, widget_page, run_view=run_value(10, 10, state="finished", phase_starts=(7,)))
    expect(tab.page.locator(".tl-run-phase")).to_have_count(2)
    expect(tab.page.get_by_text("more stages learn")).to_have_count(2)
    push(tab, widget_page, run_view=run_value(10, 10, state="finished"))
    expect(tab.page.locator(".tl-run-phase")).to_have_count(0)


def test_the_word_of_the_best_epoch_hides_no_curve_and_its_mark_is_over_its_number(
    tab: Tab, widget_page: WidgetPage
) -> None:
    """As after fine-tuning: the loss while learning jumps up where more stages learn."""
    low = (*(2.0 / epoch for epoch in range(1, 31)), 0.8, 0.75, 0.3, 0.1, 0.05, 0.05)
    flat = (*(1.0,) * 30, 1.3, 1.0, 1.0, 0.95, 0.93, 0.95)
    curves = Curves(train=low, train_eval=low, valid=flat, train_accuracy=low, valid_accuracy=flat)
    value = run_value(36, 36, state="finished", phase_starts=(31,))
    push(tab, widget_page, run_view=replace(value, epochs=curves, best_epoch=35))
    expect(tab.page.locator(".tl-run-loss .tl-run-best-text")).to_have_text("best epoch 35")
    crossed, best, last = tab.page.evaluate(
        """() => {
          const chart = document.querySelector(".tl-run-loss");
          const box = chart.querySelector(".tl-run-best-text").getBBox();
          const isInside = ({x, y}) => x > box.x && x < box.x + box.width
            && y > box.y && y < box.y + box.height;
          const points = [...chart.querySelectorAll(".tl-run-line")].flatMap((line) =>
            Array.from({length: 400}, (_, index) =>
              line.getPointAtLength(line.getTotalLength() * index / 399)));
          const ticks = [...chart.querySelectorAll(".tl-run-axis")];
          const tick = ticks.find((each) => each.textContent === "36").getBBox();
          const dot = chart.querySelector(".tl-run-best-dot");
          return [points.filter(isInside).length, Number(dot.getAttribute("cx")),
            tick.x + tick.width / 2];
        }"""
    )
    assert crossed == 0
    assert best < last - 2, "The mark at 35 stands over the number 36."


def test_the_pointer_reads_the_values_of_the_epoch_under_it(
    tab: Tab, widget_page: WidgetPage
) -> None:
    push(tab, widget_page, run_view=run_value(11, 11, state="finished"))
    plot = tab.page.locator(".tl-run-accuracy .tl-run-plot")
    box = plot.bounding_box()
    assert box is not None
    plot.hover(position={"x": 40 + (box["width"] - 50) / 2, "y": 60})
    tip = tab.page.locator(".tl-run-accuracy .tl-run-tip")
    expect(tip).to_contain_text("Epoch 6")
    tab.page.mouse.move(0, 0)
    expect(tip).to_be_hidden()


def test_screen_readers_get_a_summary_of_each_chart(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(10, 10, state="finished"))
    summary = tab.page.evaluate(
        "() => document.getElementById(document.querySelector('.tl-run-accuracy .tl-run-plot')"
        ".getAttribute('aria-describedby')).textContent"
    )
    assert "after 10 epochs" in summary
    assert "held out 81.7" in summary


def test_a_thousand_epochs_are_drawn_with_few_points(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(1000, 1000, state="finished"))
    tab.page.wait_for_function(
        "() => document.querySelector('.tl-run-loss .tl-s-valid').getAttribute('d')?.length > 999"
    )
    assert 200 <= path_points(tab, ".tl-run-loss") <= 302


def test_a_run_that_arrives_whole_is_drawn_as_if_it_grew(
    browser: Browser, widget_page: WidgetPage
) -> None:
    with widget_tab(browser, widget_page, less_motion=False) as tab:
        tab.page.evaluate(
            """() => {
                window.lengths = [];
                const line = document.querySelector('.tl-run-accuracy .tl-s-valid');
                new MutationObserver(() => window.lengths.push(
                    line.getAttribute('d').split(/[ML]/).length - 1,
                )).observe(line, {attributes: true});
            }"""
        )
        push(tab, widget_page, run_view=run_value(30, 30, state="finished"))
        tab.page.wait_for_function("() => window.lengths.at(-1) === 30")
        lengths = tab.page.evaluate("() => window.lengths")
        assert lengths == sorted(lengths)
        assert len(set(lengths)) >= 4


def test_less_motion_shows_a_whole_run_at_once(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(30, 30, state="finished"))
    tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert path_points(tab, ".tl-run-accuracy") == 30


def test_another_run_starts_with_an_empty_chart(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, run_view=run_value(30, 30, state="finished"))
    push(tab, widget_page, run_view=run_value(0, 30, state="waiting", run="b"))
    tab.page.wait_for_function(
        "() => !document.querySelector('.tl-run-accuracy .tl-s-valid').getAttribute('d')"
    )
    push(tab, widget_page, run_view=empty_run())
    expect(tab.page.locator(".tl-run-empty").first).to_be_visible()


def test_the_status_is_spoken_at_once_when_the_state_changes_and_else_seldom(
    tab: Tab, widget_page: WidgetPage
) -> None:
    spoken = tab.page.locator("#run-view [role=status]")
    tab.page.evaluate("() => { const now = performance.now(); performance.now = () => now; }")
    push(tab, widget_page, run_view=run_value(1, 30))
    expect(spoken).to_have_text("Epoch 1 of 30.")
    push(tab, widget_page, run_view=run_value(2, 30))
    expect(tab.page.locator(".tl-run-status")).to_have_text("Epoch 2 of 30.")
    assert spoken.text_content() == "Epoch 1 of 30."
    push(tab, widget_page, run_view=run_value(30, 30, state="finished"))
    expect(spoken).to_have_text("Epoch 30 of 30.")


# --- Answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.004, "< 1 %"), (0.61, "61 %"), (0.9949, "99 %"), (0.9996, "> 99 %"), (1.0, "100 %")],
)
def test_percents_never_say_more_than_is_known(
    probability: float, words: str, tab: Tab, widget_page: WidgetPage
) -> None:
    push(tab, widget_page, predictions=predictions_value(probability))
    expect(tab.page.locator(".tl-pr-percent").first).to_have_text(words.replace(" ", "\u00a0"))


def test_a_bar_is_as_long_as_its_percent(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, predictions=predictions_value(0.4))
    tab.page.wait_for_function(
        """() => {
            const bar = document.querySelector('.tl-pr-track i').getBoundingClientRect().width;
            const track = document.querySelector('.tl-pr-track').getBoundingClientRect().width;
            return Math.abs(bar / track - 0.4) < 0.01;
        }"""
    )


def test_a_picture_that_cannot_be_read_says_why_and_has_no_bars(tab: Tab) -> None:
    item = tab.page.locator(".tl-pr-item").nth(2)
    expect(item).to_have_text("c.jpg is damaged.", use_inner_text=True)
    expect(item.locator(".tl-pr-row")).to_have_count(0)


def test_without_pictures_a_sentence_says_what_to_do(tab: Tab, widget_page: WidgetPage) -> None:
    value: Any = PredictionsValue(heading="", empty="Drop a picture.")
    push(tab, widget_page, predictions=value)
    expect(tab.page.get_by_text("Drop a picture.")).to_be_visible()
    expect(tab.page.locator(".tl-pr-item")).to_have_count(0)
