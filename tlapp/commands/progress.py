"""Progress for a person at a terminal: one line that changes; elsewhere one line a stage."""

from typing import TextIO

from tlapp.messages import NOTHING, Message, Words

BAR_WIDTH = 24


class Progress:
    """Writes to a stream, usually stderr, so that results on stdout stay clean."""

    def __init__(self, stream: TextIO, words: Words) -> None:
        """What is shown is put into these words."""
        self._stream = stream
        self._say = words.say
        self._is_terminal = stream.isatty()
        self._stage = ""
        self._width = 0

    def show(self, doing: Message, detail: Message = NOTHING, share: float | None = None) -> None:
        """Say what is being done; `share` (0 to 1) draws a bar."""
        stage = self._say(doing)
        if self._is_terminal:
            text = f"{stage}  {_bar(share)}{self._say(detail)}".rstrip()
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
            self._stream.flush()
        elif stage != self._stage:
            self._stream.write(f"{stage}\n")
            self._stream.flush()
        self._stage = stage

    def end(self) -> None:
        """Leave the changing line, so that what follows begins on its own."""
        if self._is_terminal and self._width:
            self._stream.write("\n")
            self._stream.flush()
        self._width = 0


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    full = round(BAR_WIDTH * min(1.0, max(0.0, share)))
    return "[" + "#" * full + "." * (BAR_WIDTH - full) + "]  "
