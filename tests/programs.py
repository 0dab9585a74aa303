"""Programs of this repository as processes of their own, started from a process that is warm.

Loading torch and what Gradio stands on takes ten seconds of a processor, in each of some twenty
servers and commands. One process for each pytest process (`WARM`) has loaded them and is forked
for each program; `tlapp`'s own start, Gradio included, happens in the fork, with the program's own
environment. Tests of the start itself ask for a cold one. Where processes cannot be forked like
this (anywhere but on Linux), every start is cold.

    test -> WARM -> attendant (waits, and tells how it ended) -> program
"""

import inspect
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn, Protocol

REPOSITORY = Path(__file__).parents[1]
LONGEST_REQUEST = 200_000  # bytes: arguments and environment
# What is loaded ahead: nothing that reads the environment (so not gradio itself), nothing that
# starts threads.
LIBRARIES = (
    "torchvision.models",
    "safetensors.torch",
    "fastapi",
    "gradio_client",
    "huggingface_hub",
    "jinja2",
    "pandas",
    "tomlkit",
    "typer",
    "uvicorn",
    "tlapp.workspace",
)


class Program(Protocol):
    """A started program; what tests use of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def kill(self) -> None: ...


class ForkedProgram:
    """A program forked from the warm process."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line  # tells the pid, then how it ended
        self._exit_code: int | None = None
        self.pid = int(line.recv(20))

    def poll(self) -> int | None:
        """Its exit code (minus the signal that ended it); None: it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(timeout=0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended; subprocess.TimeoutExpired after `timeout` seconds."""
        if self._exit_code is None:
            self._line.settimeout(timeout)
            try:
                told = self._line.recv(20)
            except (TimeoutError, BlockingIOError):  # the second with a timeout of 0
                raise subprocess.TimeoutExpired("a program", timeout or 0) from None
            self._line.close()
            assert told, "The warm process has ended before its program."
            self._exit_code = int(told)
        return self._exit_code

    def send_signal(self, sig: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended since
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)


class WarmProcess:
    """Forks programs; started when the first one is asked for."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
    ) -> ForkedProgram:
        """What `python ARGUMENTS` would be, in the repository's folder."""
        if self._line is None:
            self._line, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with other:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.programs", str(other.fileno())],
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    pass_fds=(other.fileno(),),
                )
        mine, programs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps([list(arguments), dict(environment)]).encode()
        with programs:
            socket.send_fds(self._line, [request], [programs.fileno(), output.fileno()])
        return ForkedProgram(mine)

    def end(self) -> None:
        """Nobody can ask any more, so it ends; programs that still run go on."""
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.wait()
            self._line = self._process = None


WARM = WarmProcess()


def start_program(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes],
    *,
    is_cold: bool = False,
) -> Program:
    """Start `python ARGUMENTS` in the repository's folder with this environment and no other.

    `arguments`: a file, or `-m` and a module, and what follows. `output` takes what it prints, on
    both streams. `is_cold`: as a person would start it, with everything still to load.
    """
    if sys.platform == "linux" and not is_cold:
        return WARM.start(arguments, environment, output)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def leave_stubs_alone() -> None:
    """Whenever Gradio is imported, it compares type stubs for editors with its sources and writes
    those that differ: 3 s of a processor, and two processes that start at once write at once. From
    now on it takes its components for some without a file, which have no stubs."""
    find_file = inspect.getfile

    def getfile(thing: Any) -> str:
        if sys._getframe(1).f_code.co_name == "create_or_modify_pyi":
            raise OSError
        return find_file(thing)

    inspect.getfile = getfile


def _serve(line: socket.socket) -> None:
    """Fork whatever is asked for, until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then end this
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for attendants
    while True:
        request, fds, _, _ = socket.recv_fds(line, LONGEST_REQUEST, 2)
        if not request:
            return
        if os.fork() == 0:
            line.close()
            arguments, environment = json.loads(request)
            answers, output = socket.socket(fileno=fds[0]), fds[1]
            _attend(arguments, environment, answers, output)
        for fd in fds:
            os.close(fd)


def _attend(
    arguments: list[str], environment: dict[str, str], answers: socket.socket, output: int
) -> NoReturn:
    """Fork the program, tell its pid, wait for its end, tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        answers.close()
        _become(arguments, environment, output)
    os.close(output)
    answers.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # nobody wants to know any more
        answers.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(arguments: list[str], environment: dict[str, str], output: int) -> NoReturn:
    """Run the program as if this process had been started for it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
        stream.reconfigure(line_buffering=True)  # type: ignore[attr-defined]  # a TextIOWrapper
    os.close(output)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    sys.exit(0)


def main(line: int) -> None:
    """What the warm process does."""
    with socket.socket(fileno=line) as opened:
        for name in LIBRARIES:
            import_module(name)
        leave_stubs_alone()
        _serve(opened)


if __name__ == "__main__":
    main(int(sys.argv[1]))
