"""A form with files, read as it comes: onto the disk, and within limits that are counted.

Only the names of the files and their bytes are kept. A field that is no file is counted and
forgotten: no page and no client of ours sends one. The parser is python-multipart's.
https://www.rfc-editor.org/rfc/rfc7578
"""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from gradio_client.utils import strip_invalid_filename_characters
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tlapp.ui.door.asgi import RefusedError
from tlapp.ui.text import door as words

FIELD_BYTES = 64_000  # of all fields that are no files, and of each part's header lines
FIELDS = 20  # parts that are no files: each costs time, also an empty one
BUFFER_BYTES = 1_000_000  # written to the disk at once


class FileForm:
    """Takes a form's bytes and puts its files into a folder. Used by one request.

    No file stays open between two writes: many uploads of many files are many handles.
    `feed` raises RefusedError and OSError, `write_out` OSError.
    """

    def __init__(self, content_type: str, folder: Path, *, most_files: int) -> None:
        """Raises RefusedError when the content type names no boundary."""
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise RefusedError(400, words.NO_FORM)
        self.paths: list[Path] = []
        self.is_whole = False
        self._folder = folder
        self._most_files = most_files
        self._file: Path | None = None  # of the part that is being read; None: a field
        self._buffers: list[tuple[Path, bytes]] = []
        self._buffered_bytes = 0
        self._field_bytes = 0
        self._part_count = 0
        self._name, self._value, self._disposition = b"", b"", b""
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._take_header_name,
            "on_header_value": self._take_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._take_content,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # a TypedDict
        except FormParserError as error:
            raise RefusedError(400, words.NO_FORM) from error

    @property
    def buffered_bytes(self) -> int:
        """What waits to be written."""
        return self._buffered_bytes

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Quick: nothing but names is written yet."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise RefusedError(400, words.NO_FORM) from error

    def write_out(self) -> None:
        """Write what waits. For a thread: the disk may be slow."""
        waiting, self._buffers, self._buffered_bytes = self._buffers, [], 0
        for path, parts in groupby(waiting, key=itemgetter(0)):
            with path.open("ab") as file:
                file.writelines(content for _, content in parts)

    def _begin_part(self) -> None:
        self._part_count += 1
        if self._part_count > self._most_files + FIELDS:
            raise RefusedError(413, words.too_many_files(self._most_files))
        self._file = None
        self._disposition = b""

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._count_field(end - start)

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._count_field(end - start)

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def _begin_content(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"filename" not in options:
            return
        if len(self.paths) >= self._most_files:
            raise RefusedError(413, words.too_many_files(self._most_files))
        given = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
        name = strip_invalid_filename_characters(given.rsplit("/", 1)[-1]) or "file"
        # A folder for each: two files of one form may have one name.
        path = self._folder / str(len(self.paths)) / ("file" if name == ".." else name)
        path.parent.mkdir()
        path.touch(exist_ok=False)
        self._file = path
        self.paths.append(path)

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._count_field(end - start)
        else:
            self._buffers.append((self._file, data[start:end]))
            self._buffered_bytes += end - start

    def _end(self) -> None:
        self.is_whole = True

    def _count_field(self, count: int) -> None:
        self._field_bytes += count
        if self._field_bytes > FIELD_BYTES + len(self.paths) * 1_000:
            raise RefusedError(413, words.body_too_large(FIELD_BYTES))
