"""The server that shows the page, from its start to its end."""

import os
import time
from contextlib import suppress
from typing import Literal

import gradio as gr
from fastapi import FastAPI, Request, Response

from tlapp.errors import ServerError, TlappError
from tlapp.messages import Words, words
from tlapp.settings import Settings
from tlapp.ui import text
from tlapp.ui.door import Door
from tlapp.ui.door.hosts import known_hosts
from tlapp.ui.door.key import address_with_key, kept_key
from tlapp.ui.door.uploads import UploadLimits
from tlapp.ui.languages import language_for
from tlapp.ui.layout import build_page
from tlapp.ui.page import Page
from tlapp.ui.theme import make_theme, page_css
from tlapp.workspace import UploadFolder, Workspace

LOOK_SECONDS = 0.1  # how soon Ctrl-C is noticed on systems where it wakes nobody
LOCAL_ADDRESS = "127.0.0.1"
MOST_FILES = 100  # in one upload; a folder is one zip
CURVE_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8"}


def launch(
    settings: Settings,
    uploads: UploadFolder,
    speaker: Words,
    *,
    host: str | None = None,
    port: int | None = None,
) -> None:
    """Serve the page until interrupted or terminated; then the running training is kept.

    `speaker` says on the terminal where the page is. `host` and `port`: None leaves them to Gradio's environment variables and defaults (127.0.0.1,
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
        address = url if settings.is_public else address_with_key(url, page.key)
        print(speaker.say(text.serving(address)), flush=True)
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
        app_kwargs=door.app_kwargs(blocks),
        prevent_thread_lock=True,
        quiet=True,
        _frontend=False,  # or it asks itself for the page, and a busy machine's start fails in 3 s
    )
    return app, url


def add_downloads(app: FastAPI, workspace: Workspace) -> None:
    """A run's curves as files, under its unguessable id."""

    @app.get("/curves/{run_id}.{kind}")
    def curves(run_id: str, kind: Literal["png", "svg", "csv"], request: Request) -> Response:
        language = language_for(request.query_params, request.headers)
        try:
            content = workspace.trainings.curves(workspace.run(run_id).run_id, kind, language)
        except TlappError as error:
            return Response(
                words(language).say(error.said), status_code=404, media_type="text/plain"
            )
        return Response(
            content,
            media_type=CURVE_TYPES[kind],
            headers={"content-disposition": f'attachment; filename="tlapp-curves.{kind}"'},
        )
