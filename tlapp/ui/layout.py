"""The page as a whole: where each panel stands."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from tlapp.ui import present, text
from tlapp.ui.api import build_api
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.table import Panels, table, watched
from tlapp.ui.text import mistakes as mistake_words
from tlapp.ui.text import racing as racing_words
from tlapp.ui.wiring import Row, Wiring

VISITOR_KEY = "tlapp_visitor"  # where the browser keeps its token
VISITOR_SECRET = "tlapp: hides the token from a casual look, the token itself is what counts"
TAB_IS_SEEN = """const rest = 3000; // milliseconds between two looks, and from the opening on
let last = performance.now();
let later;
const look = () => { last = performance.now(); trigger('seen', {}); };
const lookSoon = () => {
  clearTimeout(later);
  if (!document.hidden) later = setTimeout(look, Math.max(0, last + rest - performance.now()));
};
document.addEventListener("visibilitychange", lookSoon);
window.addEventListener("online", lookSoon);  // whoever followed may have been cut off"""


def build_page(page: Page) -> gr.Blocks:
    """All components with their events."""
    blocks = AppBlocks(title=text.TITLE)
    panels = Panels(page)
    with blocks:
        token = gr.BrowserState("", storage_key=VISITOR_KEY, secret=VISITOR_SECRET)
        gr.HTML(present.header(), elem_id="header", elem_classes="tl-header")
        damages = gr.HTML("", elem_id="damages", elem_classes="tl-message")
        lay_out(panels)
        gr.HTML(present.limits(page.settings), elem_id="limits")
        attention = gr.HTML("", js_on_load=TAB_IS_SEEN, elem_id="attention")
        build_api(page)
        wiring = Wiring(page, token, watched=watched(panels))
        wiring.connect([*table(panels), Row(event=attention.seen, action=page.tabs.forget)])
        wiring.open_with(
            blocks,
            (panels.data, panels.backbones, panels.ladder, panels.settings),
            greeting=lambda visit: {
                damages: present.damages(page.workspace, visit.words, visit.owner)
            },
            greeted=(damages,),
            not_opened=panels.training.render_not_opened,
        )
    return blocks


def lay_out(panels: Panels) -> None:
    """Build every panel where it stands; inside the page's `Blocks`."""
    with gr.Row(elem_classes="tl-zones"):
        with _zone("data", 1, later(text.DATA_HEADING)):
            panels.data.build()
        with _zone("train-zone", 2, later(text.TRAIN_HEADING)):
            panels.backbones.build()
            panels.ladder.build()
            panels.training.build_buttons()
            panels.next_step.build()
            panels.training.build()
            with gr.Accordion(later(text.SETTINGS_HEADING), open=False, elem_id="settings"):
                panels.settings.build()
                panels.rates.build()
                panels.settings.build_reset()
        with _zone("try", 3, later(text.TRY_HEADING)):
            panels.trying.build()
    with gr.Tabs(elem_id="closer", elem_classes="tl-card", overflow_behavior="wrap"):
        with _tab("results-tab", later(text.RESULTS_HEADING)):
            panels.results.build()
        with _tab("compare-tab", later(text.COMPARE_HEADING)):
            panels.compare.build()
        with _tab("race-tab", later(racing_words.HEADING)):
            panels.race.build()
        with _tab("mistakes-tab", later(mistake_words.HEADING)):
            panels.mistakes.build()


def _tab(elem_id: str, heading: str) -> gr.Tab:
    """What looks closer; there from the start, so that events reach it while it is hidden."""
    return gr.Tab(heading, elem_id=elem_id, render_children=True)


@contextmanager
def _zone(elem_id: str, number: int, heading: str) -> Iterator[None]:
    with gr.Column(elem_classes="tl-card", elem_id=elem_id):
        gr.HTML(present.zone_heading(number, heading), elem_classes="tl-zone-title")
        yield
