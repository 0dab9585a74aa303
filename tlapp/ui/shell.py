"""The page as a whole: header and zones, and the server that shows it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import gradio as gr
from fastapi import FastAPI, Response

from tlapp.errors import ServerError, TlappError
from tlapp.settings import Settings
from tlapp.ui import present, text
from tlapp.ui.api import build_api
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.door import Door
from tlapp.ui.door.hosts import known_hosts
from tlapp.ui.door.key import address_with_key, kept_key
from tlapp.ui.door.uploads import UploadLimits
from tlapp.ui.panels import comparing, data, mistakes, racing, train, trying
from tlapp.ui.session import Page
from tlapp.ui.text import mistakes as mistake_words
from tlapp.ui.text import racing as racing_words
from tlapp.ui.theme import make_theme, page_css
from tlapp.ui.wiring import Zones, connect
from tlapp.workspace import UploadFolder, Workspace

LOOK_SECONDS = 0.1  # how soon Ctrl-C is noticed on systems where it wakes nobody
LOCAL_ADDRESS = "127.0.0.1"
MOST_FILES = 100  # in one upload; a folder is one zip
VISITOR_KEY = "tlapp_visitor"  # where the browser keeps its token
VISITOR_SECRET = "tlapp: hides the token from a casual look, the token itself is what counts"
CURVE_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}
TAB_IS_SEEN = """const rest = 3000; // milliseconds between two looks, and from the opening on
let last = performance.now();
let later;
const look = () => { last = performance.now(); trigger('seen', {}); };
document.addEventListener("visibilitychange", () => {
  clearTimeout(later);
  if (!document.hidden) later = setTimeout(look, Math.max(0, last + rest - performance.now()));
});"""


def build_page(page: Page) -> gr.Blocks:
    """All components with their events."""
    blocks = AppBlocks(title=text.TITLE, analytics_enabled=False)
    with blocks:
        connect(page, _lay_out(page), blocks)
    return blocks


def _lay_out(page: Page) -> Zones:
    token = gr.BrowserState("", storage_key=VISITOR_KEY, secret=VISITOR_SECRET)
    gr.HTML(present.header(), elem_id="header", elem_classes="tl-header")
    damages = gr.HTML("", elem_id="damages", elem_classes="tl-message")
    with gr.Row(elem_classes="tl-zones"):
        with _zone("data", 1, text.DATA_HEADING):
            data_panel = data.build(page)
        with _zone("train-zone", 2, text.TRAIN_HEADING):
            train_panel = train.build(page)
        with _zone("try", 3, text.TRY_HEADING):
            try_panel = trying.build(page)
    with gr.Tabs(elem_id="closer", elem_classes="tl-card", overflow_behavior="wrap"):
        with _tab("results-tab", text.RESULTS_HEADING):
            results = gr.HTML(present.no_results(), elem_id="results")
        with _tab("compare-tab", text.COMPARE_HEADING):
            compare_panel = comparing.build(page)
        with _tab("race-tab", racing_words.HEADING):
            race_panel = racing.build()
        with _tab("mistakes-tab", mistake_words.HEADING):
            mistake_view = mistakes.build()
    gr.HTML(present.limits(page.settings), elem_id="limits")
    attention = gr.HTML("", js_on_load=TAB_IS_SEEN, elem_id="attention")
    build_api(page)
    return Zones(
        token=token,
        damages=damages,
        data=data_panel,
        train=train_panel,
        trying=try_panel,
        results=results,
        compare=compare_panel,
        race=race_panel,
        mistakes=mistake_view,
        attention=attention,
    )


def _tab(elem_id: str, heading: str) -> gr.Tab:
    """What looks closer; there from the start, so that events reach it while it is hidden."""
    return gr.Tab(heading, elem_id=elem_id, render_children=True)


@contextmanager
def _zone(elem_id: str, number: int, heading: str) -> Iterator[None]:
    with gr.Column(elem_classes="tl-card", elem_id=elem_id):
        gr.HTML(present.zone_heading(number, heading), elem_classes="tl-zone-title")
        yield


def launch(
    settings: Settings, uploads: UploadFolder, *, host: str | None = None, port: int | None = None
) -> None:
    """Serve the page until interrupted or terminated; then the running training is kept.

    `host` and `port`: None leaves them to Gradio's environment variables and defaults (127.0.0.1,
    first free port from 7860 on). Raises ServerError when the port is taken.
    """
    workspace = Workspace(settings)
    try:
        page = Page(workspace=workspace, settings=settings, key=kept_key(settings.home))
        bound = host or os.environ.get("GRADIO_SERVER_NAME") or LOCAL_ADDRESS
        door = _make_door(page, uploads, bound)
        blocks = build_page(page)
        app, url = _serve(blocks, door, host=host, port=port)
        add_downloads(app, workspace)
        workspace.start_background()
        print(
            text.serving(url if settings.is_public else address_with_key(url, page.key)), flush=True
        )
        _wait_for_the_end(blocks)
    finally:
        workspace.close()


def _make_door(page: Page, uploads: UploadFolder, bound: str) -> Door:
    limits = page.settings.limits
    return Door(
        hosts=known_hosts(bound, page.settings.hosts),
        key=page.key,
        is_behind_proxy=page.settings.is_space,
        root_path=os.environ.get("GRADIO_ROOT_PATH", ""),
        uploads=uploads,
        upload_limits=UploadLimits(bytes=limits.archive_bytes, files=MOST_FILES),
        note=page.note_client,
        has_room=page.workspace.library.has_room,
    )


def _wait_for_the_end(blocks: gr.Blocks) -> None:
    with suppress(KeyboardInterrupt):  # asked to end, by Ctrl-C or SIGTERM: that is no failure
        while blocks.is_running:
            time.sleep(LOOK_SECONDS)


def _serve(
    blocks: gr.Blocks, door: Door, *, host: str | None, port: int | None
) -> tuple[FastAPI, str]:
    """Start to answer; the server and its address."""
    blocks.queue(status_update_rate=10.0, api_open=True)  # the door bounds it
    try:
        return _launch_blocks(blocks, door, host=host, port=port)
    except OSError as error:
        if "empty port" not in str(error):  # Gradio's words when it could listen nowhere
            raise
        raise ServerError(text.cannot_listen(host, port), hint=text.CHOOSE_PORT) from error


def _launch_blocks(
    blocks: gr.Blocks, door: Door, *, host: str | None, port: int | None
) -> tuple[FastAPI, str]:
    app, url, _ = blocks.launch(
        server_name=host,
        server_port=port,
        theme=make_theme(),
        css=page_css(),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        share=False,
        app_kwargs={"lifespan": door.lifespan(blocks)},
        prevent_thread_lock=True,
        quiet=True,
        _frontend=False,  # or it asks itself for the page, and a busy machine's start fails in 3 s
    )
    return app, url


def add_downloads(app: FastAPI, workspace: Workspace) -> None:
    """A run's curves as files, under its unguessable id."""

    @app.get("/curves/{run_id}.{kind}")
    def curves(run_id: str, kind: Literal["png", "svg", "csv"]) -> Response:
        try:
            content = workspace.trainings.curves(workspace.run(run_id).run_id, kind)
        except TlappError as error:
            return Response(f"{error} {error.hint}", status_code=404, media_type="text/plain")
        return Response(
            content,
            media_type=CURVE_TYPES[kind],
            headers={"content-disposition": f'attachment; filename="tlapp-curves.{kind}"'},
        )
