"""The page as a whole: header, zones and events, and the server that shows it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import gradio as gr
from fastapi import FastAPI, Response
from starlette.middleware import Middleware

from tlapp.errors import ServerError, TlappError
from tlapp.settings import MEGABYTE, Settings
from tlapp.ui import present, text
from tlapp.ui.api import build_api
from tlapp.ui.body_limit import BodyLimit
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels import (
    choosing,
    comparing,
    data,
    following,
    mistakes,
    racing,
    rate_finder,
    train,
    trying,
)
from tlapp.ui.panels.comparing import ComparePanel
from tlapp.ui.panels.data import DataPanel
from tlapp.ui.panels.racing import RacePanel
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.panels.trying import TryPanel
from tlapp.ui.session import Page, Visits
from tlapp.ui.text import mistakes as mistake_words
from tlapp.ui.text import racing as racing_words
from tlapp.ui.theme import make_theme, page_css
from tlapp.ui.widgets.mistake_view import MistakeView
from tlapp.workspace import Workspace, is_token, new_visitor

LOOK_SECONDS = 0.1  # how soon Ctrl-C is noticed on systems where it wakes nobody
REQUEST_BYTES = 4 * MEGABYTE  # of any request that is not an upload
PAGE_IS_OPEN = "() => { document.documentElement.classList.add('tl-open'); }"  # see theme.css
VISITOR_KEY = "tlapp_visitor"  # where the browser keeps its token
VISITOR_SECRET = "tlapp: hides the token from a casual look, the token itself is what counts"
CURVE_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}
FOLLOWING: Final[Mapping[str, Any]] = MappingProxyType({"concurrency_limit": None, **QUIET})
UPLOAD_CACHE_SECONDS = (600, 3600)  # Gradio's own upload folder: look this often, keep this long


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The components of the page that events fill."""

    token: gr.BrowserState
    data: DataPanel
    train: TrainPanel
    trying: TryPanel
    results: gr.HTML
    compare: ComparePanel
    race: RacePanel
    mistakes: MistakeView

    def of_the_run(self) -> list[gr.components.Component]:
        """What follows the run on the page, in the order of `following.follow`."""
        return [
            self.train.run_view,
            *self.train.buttons(),
            self.trying.predictions,
            self.results,
            self.train.ladder,
        ]


def build_page(page: Page) -> gr.Blocks:
    """All components with their events."""
    blocks = gr.Blocks(title=text.TITLE, analytics_enabled=False, delete_cache=UPLOAD_CACHE_SECONDS)
    with blocks:
        _connect(page, _lay_out(page), blocks)
    return blocks


def _lay_out(page: Page) -> Zones:
    token = gr.BrowserState("", storage_key=VISITOR_KEY, secret=VISITOR_SECRET)
    gr.HTML(present.header(), elem_id="header", elem_classes="tl-header")
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
    build_api(page)
    return Zones(
        token=token,
        data=data_panel,
        train=train_panel,
        trying=try_panel,
        results=results,
        compare=compare_panel,
        race=race_panel,
        mistakes=mistake_view,
    )


def _tab(elem_id: str, heading: str) -> gr.Tab:
    """What looks closer; there from the start, so that events reach it while it is hidden."""
    return gr.Tab(heading, elem_id=elem_id, render_children=True)


@contextmanager
def _zone(elem_id: str, number: int, heading: str) -> Iterator[None]:
    with gr.Column(elem_classes="tl-card", elem_id=elem_id):
        gr.HTML(present.zone_heading(number, heading), elem_classes="tl-zone-title")
        yield


def _connect(page: Page, zones: Zones, blocks: gr.Blocks) -> None:
    token = zones.token
    show_data_again = bind(show_data, page), [token], zones.data.views()
    show_training_again = bind(show_training, page, zones.train), [token], zones.train.views()
    show_race_again = bind(racing.refresh, page), [token], zones.race.views()

    def then_list_runs(event: Any) -> None:
        event.then(bind(comparing.refresh, page), [token], zones.compare.runs, **QUIET)
        event.then(bind(mistakes.refresh, page), [token], zones.mistakes, **QUIET)

    def then_follow(event: Any) -> None:
        followed = event.then(
            bind(following.follow, page), [token], zones.of_the_run(), **FOLLOWING
        )
        then_list_runs(followed)

    def then_follow_race(event: Any) -> None:
        followed = event.then(bind(racing.follow, page), [token], zones.race.views(), **FOLLOWING)
        then_list_runs(followed)

    then_follow_rates = rate_finder.connect(page, zones.train, token)
    trying.connect(page, zones.trying, token)

    def then_follow_mistake(event: Any) -> None:
        event.then(bind(mistakes.follow, page), [token], zones.mistakes, **FOLLOWING)

    race_started = racing.connect(page, zones.race, token)
    then_follow_race(race_started)
    then_follow(race_started.then(*show_data_again, **QUIET))
    then_follow_mistake(mistakes.connect(page, zones.mistakes, token))
    for started in train.connect(page, zones.train, token):
        then_follow(started)
        started.then(*show_data_again, **QUIET)
    for change in data.connect(page, zones.data, token):
        then_follow(change.then(*show_training_again, **QUIET))
        change.then(*show_race_again, **QUIET)
    other_run_shown, adopted = comparing.connect(page, zones.compare, token)
    for event in other_run_shown:
        then_follow(event)
    adopted.then(*show_training_again, **QUIET)
    opened = blocks.load(
        bind(open_page, page, zones.train),
        [token],
        [token, *zones.data.views(), *zones.train.views()],
        **QUIET,
    )
    opened.then(None, js=PAGE_IS_OPEN, api_visibility="private")
    then_follow(opened)
    then_follow_race(opened)
    then_follow_mistake(opened)
    then_follow_rates(opened)


def open_page(page: Page, train_panel: TrainPanel, token: str) -> tuple[Any, ...]:
    """Everything as this visitor left it; a visitor without a token gets one."""
    if not is_token(token):
        token = new_visitor()
    owner = page.owner_of(token)
    page.workspace.touch(owner)
    return token, *data.show(page, owner), *choosing.show(page, train_panel, owner)


def show_data(page: Page, token: str) -> tuple[Any, ...]:
    """The Data zone after Train has accepted what was shown there."""
    return data.show(page, page.owner_of(token))


def show_training(page: Page, train_panel: TrainPanel, token: str) -> tuple[Any, ...]:
    """Cards and ladder after the data set has changed."""
    return choosing.show(page, train_panel, page.owner_of(token))


def launch(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Serve the page until interrupted or terminated; then the running training is kept.

    `host` and `port`: None leaves them to Gradio's environment variables and defaults (127.0.0.1,
    first free port from 7860 on). Raises ServerError when the port is taken.
    """
    workspace = Workspace(settings)
    try:
        page = Page(workspace=workspace, visits=Visits(), settings=settings)
        blocks = build_page(page)
        app, url = _serve(blocks, settings, host=host, port=port)
        add_downloads(app, workspace)
        workspace.start_background()
        print(text.serving(url), flush=True)
        _wait_for_the_end(blocks)
    finally:
        workspace.close()


def _wait_for_the_end(blocks: gr.Blocks) -> None:
    with suppress(KeyboardInterrupt):  # asked to end, by Ctrl-C or SIGTERM: that is no failure
        while blocks.is_running:
            time.sleep(LOOK_SECONDS)


def _serve(
    blocks: gr.Blocks, settings: Settings, *, host: str | None, port: int | None
) -> tuple[FastAPI, str]:
    """Start to answer; the server and its address."""
    blocks.queue(default_concurrency_limit=8, max_size=1_000, api_open=True)
    try:
        return _launch_blocks(blocks, settings, host=host, port=port)
    except OSError as error:
        if "empty port" not in str(error):  # Gradio's words when it could listen nowhere
            raise
        raise ServerError(text.cannot_listen(host, port), hint=text.CHOOSE_PORT) from error


def _launch_blocks(
    blocks: gr.Blocks, settings: Settings, *, host: str | None, port: int | None
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
        max_file_size=settings.limits.archive_bytes,
        app_kwargs={
            "middleware": [
                Middleware(
                    BodyLimit,
                    upload_bytes=settings.limits.archive_bytes,
                    other_bytes=REQUEST_BYTES,
                )
            ]
        },
        prevent_thread_lock=True,
        quiet=True,
    )
    return app, url


def add_downloads(app: FastAPI, workspace: Workspace) -> None:
    """A run's curves as files, under its unguessable id."""

    @app.get("/curves/{run_id}.{kind}")
    def curves(run_id: str, kind: Literal["png", "svg", "csv"]) -> Response:
        try:
            content = workspace.curves(run_id, kind)
        except TlappError as error:
            return Response(f"{error} {error.hint}", status_code=404, media_type="text/plain")
        return Response(
            content,
            media_type=CURVE_TYPES[kind],
            headers={"content-disposition": f'attachment; filename="tlapp-curves.{kind}"'},
        )
