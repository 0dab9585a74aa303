"""A form with files, read as it comes: onto the disk, and within limits that are counted.

Only the names of the files and their bytes are kept. A field that is no file is counted and
forgotten: no page and no client of ours sends one. The parser is python-multipart's.
https://www.rfc-editor.org/rfc/rfc7578
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from gradio_client.utils import strip_invalid_filename_characters
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tlapp.ui.text import door as words

FIELD_BYTES = 64_000  # of all fields that are no files, and of each part's header lines
BUFFER_BYTES = 1_000_000  # written to the disk at once


class UploadRefusedError(Exception):
    """The upload is not taken; `status` and `words` are the answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class FileForm:
    """Takes a form's bytes and puts its files into a folder. Used by one request.

    `feed` raises UploadRefusedError, `write_out` OSError; whoever opened the form closes it.
    """

    def __init__(self, content_type: str, folder: Path, *, most_files: int) -> None:
        """Raises UploadRefusedError when the content type names no boundary."""
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise UploadRefusedError(400, words.NO_FORM)
        self.paths: list[Path] = []
        self.is_whole = False
        self._folder = folder
        self._most_files = most_files
        self._file: BinaryIO | None = None
        self._buffers: list[tuple[BinaryIO, bytes]] = []
        self._opened: list[BinaryIO] = []
        self._field_bytes = 0
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
            raise UploadRefusedError(400, words.NO_FORM) from error

    @property
    def buffered_bytes(self) -> int:
        """What waits to be written."""
        return sum(len(content) for _, content in self._buffers)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Quick: nothing but names is written yet."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UploadRefusedError(400, words.NO_FORM) from error

    def write_out(self) -> None:
        """Write what waits. For a thread: the disk may be slow."""
        waiting, self._buffers = self._buffers, []
        for file, content in waiting:
            file.write(content)

    def close(self) -> None:
        """Close the files."""
        for file in self._opened:
            file.close()

    def _begin_part(self) -> None:
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
            raise UploadRefusedError(413, words.too_many_files(self._most_files))
        given = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
        name = strip_invalid_filename_characters(given.rsplit("/", 1)[-1]) or "file"
        # A folder for each: two files of one form may have one name.
        path = self._folder / str(len(self.paths)) / ("file" if name == ".." else name)
        path.parent.mkdir()
        self._file = path.open("xb")
        self._opened.append(self._file)
        self.paths.append(path)

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._count_field(end - start)
        else:
            self._buffers.append((self._file, data[start:end]))

    def _end(self) -> None:
        self.is_whole = True

    def _count_field(self, count: int) -> None:
        self._field_bytes += count
        if self._field_bytes > FIELD_BYTES + len(self.paths) * 1_000:
            raise UploadRefusedError(413, words.body_too_large(FIELD_BYTES))
