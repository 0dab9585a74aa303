"""The upload route, in place of Gradio's: in time, within a share, and nothing is left of a failure.

Gradio's own keeps the fields of a form in memory, waits for a slow sender for ever and leaves the
files of a broken connection where they are.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tlapp.errors import refused_by_disk
from tlapp.messages import message
from tlapp.ui.door.asgi import (
    App,
    DisconnectedError,
    Receive,
    RefusedError,
    Scope,
    Send,
    answer_json,
    client_of,
    counted,
    header,
    refuse,
)
from tlapp.ui.door.bodies import declared_bytes
from tlapp.ui.door.forms import BUFFER_BYTES, FIELD_BYTES, FileForm
from tlapp.ui.door.routes import route_kind
from tlapp.ui.text import door as words
from tlapp.workspace import UploadFolder

ROOM_CHECK_BYTES = 16_000_000  # between two looks at the disk
RETRY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """What one upload, and one client's uploads at once, may take."""

    bytes: int  # all files of one request
    files: int  # in one request
    at_once: int = 64  # uploads of everybody: they take a buffer each, but no file and no thread
    at_once_of_a_client: int = 40  # a class of thirty behind one address fits
    pause_seconds: float = 30.0  # without a byte
    spare_seconds: float = 60.0  # that an upload may take however little it brings
    bytes_per_second: float = 20_000.0  # on average, beyond that; a slow network brings 100,000


class Uploads:
    """Receives uploads; everything else goes on to the app behind."""

    def __init__(
        self, app: App, folder: UploadFolder, limits: UploadLimits, has_room: Callable[[int], bool]
    ) -> None:
        """`has_room(bytes)`: whether there is room beside so many bytes of uploads."""
        self.app = app
        self._folder = folder
        self._limits = limits
        self._has_room = has_room
        self._under_way: Counter[str] = Counter()  # by client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_kind(scope) != "upload":
            await self.app(scope, receive, send)
            return
        client = client_of(scope)
        if (
            self._under_way[client] >= self._limits.at_once_of_a_client
            or self._under_way.total() >= self._limits.at_once
        ):
            said = words.too_many_uploads(RETRY_SECONDS)
            await refuse(send, 429, said, retry_seconds=RETRY_SECONDS)
            return
        with counted(self._under_way, client):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        folder: Path | None = None
        paths: list[Path] = []
        try:
            await self._check(scope)
            folder = self._folder.new_folder()
            paths = await self._receive(scope, receive, folder)
            await answer_json(send, [str(path) for path in paths])
        except DisconnectedError:
            return
        except RefusedError as wrong:
            await refuse(send, wrong.status, wrong.said)
        except OSError as error:
            refused = refused_by_disk(
                error,
                full=message("The disk of this machine is full, so the files were not taken."),
                read_only=message(
                    "The disk of this machine takes nothing, so the files were not taken."
                ),
            )
            await refuse(send, 507, refused.said)
        finally:
            if folder is not None and not paths:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _check(self, scope: Scope) -> None:
        """Refuse what needs not be begun."""
        if declared_bytes(scope) > self._limits.bytes + FIELD_BYTES:
            raise RefusedError(413, words.body_too_large(self._limits.bytes))
        await self._check_room()

    async def _check_room(self) -> None:
        held_bytes = await asyncio.to_thread(self._folder.held_bytes)
        if not self._has_room(held_bytes):
            raise RefusedError(507, words.DISK_IS_FULL)

    async def _receive(self, scope: Scope, receive: Receive, folder: Path) -> list[Path]:
        """The files of the form, whole, in `folder`."""
        form = FileForm(header(scope, b"content-type"), folder, most_files=self._limits.files)
        progress = _Progress(self._limits)
        is_over = False
        while not is_over:
            chunk, is_over = await progress.next_chunk(receive)
            form.feed(chunk)
            if is_over or form.buffered_bytes >= BUFFER_BYTES:
                await asyncio.to_thread(form.write_out)
            if progress.has_come_far():
                await self._check_room()
        if not form.is_whole or not form.paths:
            raise RefusedError(400, words.NO_FORM)
        return form.paths


class _Progress:
    """How much has come, and whether it comes fast enough."""

    def __init__(self, limits: UploadLimits) -> None:
        self.bytes = 0
        self._limits = limits
        self._began = time.monotonic()
        self._checked = 0

    async def next_chunk(self, receive: Receive) -> tuple[bytes, bool]:
        """The next bytes, and whether they are the last. Raises RefusedError."""
        earned = self.bytes / self._limits.bytes_per_second
        left = self._limits.spare_seconds + earned - (time.monotonic() - self._began)
        try:
            message = await asyncio.wait_for(receive(), min(self._limits.pause_seconds, left))
        except TimeoutError as error:
            raise RefusedError(408, words.TOO_SLOW) from error
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunk: bytes = message.get("body", b"")
        self.bytes += len(chunk)
        if self.bytes > self._limits.bytes + FIELD_BYTES:
            raise RefusedError(413, words.body_too_large(self._limits.bytes))
        return chunk, not message.get("more_body", False)

    def has_come_far(self) -> bool:
        """Whether it is time to look at the disk again."""
        if self.bytes - self._checked < ROOM_CHECK_BYTES:
            return False
        self._checked = self.bytes
        return True
