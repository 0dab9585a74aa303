"""The command line: `python -m tlapp serve | train | race | lr-find | predict | fetch`.

Exit codes: 0 done (also a server that was asked to end), 2 something a person can act on (said on
stderr, with the next step), 130 interrupted, 143 terminated. Each command's module is imported only
when its turn comes: torch and Gradio take seconds, which `--help` and a mistyped option should not
cost.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from tlapp.commands import EXIT_PROBLEM, Terminated, exit_code_of, language_of_environment
from tlapp.errors import TlappError
from tlapp.messages import Message, Words, joined, message, words
from tlapp.settings import Settings, read_settings

HIGHEST_PORT = 65_535
MOST_OPEN_FILES = 65_536


def run_program(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command as this process: SIGTERM ends it in order, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    code = main(arguments)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it is gone
            stream.flush()
    os._exit(code)  # everything is closed; threads that still answer visitors cannot be stopped


def _raise_terminated(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # asking twice ends it at once
    raise Terminated


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    speaker = words(language_of_environment(os.environ))
    parser = make_parser(speaker)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return EXIT_PROBLEM
    try:
        return _run(options, speaker)
    except TlappError as error:
        print(speaker.say(joined(error.what, error.hint, by="\n")), file=sys.stderr)
        return EXIT_PROBLEM
    except KeyboardInterrupt as interrupt:
        print(speaker.say(message("Interrupted.")), file=sys.stderr)
        return exit_code_of(interrupt)


def make_parser(speaker: Words) -> argparse.ArgumentParser:
    """What can be typed, explained in these words."""
    parser = argparse.ArgumentParser(
        prog="python -m tlapp",
        description=speaker.say(message("Learn and do transfer learning.")),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, said, add in (
        ("serve", message("show the page in a browser"), _add_serve),
        ("train", message("train on a folder of labelled pictures"), _add_train),
        ("race", message("train in five ways and compare them"), _add_race),
        ("lr-find", message("find a learning rate for a folder"), _add_lr_find),
        ("predict", message("ask a trained run about pictures"), _add_predict),
        ("fetch", message("download backbones ahead, for work offline"), _add_fetch),
    ):
        add(commands.add_parser(name, help=_help(speaker, said)), speaker)
    return parser


def _help(speaker: Words, said: Message) -> str:
    return speaker.say(said).replace("%", "%%")  # argparse fills help texts with %


def _add_serve(parser: argparse.ArgumentParser, speaker: Words) -> None:
    host = message("address to listen on (default: this machine only)")
    parser.add_argument("--host", help=_help(speaker, host))
    port = message("port (default: the first free one from 7860)")
    parser.add_argument("--port", type=partial(_port, speaker), help=_help(speaker, port))
    public = message("strangers may visit: tight limits")
    parser.add_argument("--public", action="store_true", help=_help(speaker, public))
    also = message("also answer under this name, e.g. that of a proxy in front; may be given again")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help=_help(speaker, also)
    )


def _port(speaker: Words, typed: str) -> int:
    port = int(typed) if typed.isdecimal() else 0
    if not 1 <= port <= HIGHEST_PORT:
        said = message(
            "{typed} is no port; choose one of 1 to {highest}",
            typed=repr(typed),
            highest=str(HIGHEST_PORT),
        )
        raise argparse.ArgumentTypeError(speaker.say(said))
    return port


def _add_train(parser: argparse.ArgumentParser, speaker: Words) -> None:
    _add_folder(parser, speaker)
    freeze = message(
        "head: only the new head learns (seconds); last:N: the N top stages as well; "
        "none: everything (minutes); or the stages to freeze, separated by commas"
    )
    parser.add_argument("--freeze", default="head", metavar="WHAT", help=_help(speaker, freeze))
    phases = message("one after the other, e.g. head:20,fine:5 (fine: what --freeze lets learn)")
    parser.add_argument("--phases", default="", metavar="LIST", help=_help(speaker, phases))
    _add_scratch(parser, speaker)
    epochs = message("default: 30 for the head, else 5")
    parser.add_argument("--epochs", type=int, metavar="N", help=_help(speaker, epochs))
    rate = message("learning rate of the head")
    parser.add_argument("--lr", type=float, metavar="X", help=_help(speaker, rate))
    parser.add_argument(
        "--backbone-lr", type=float, metavar="X", help=_help(speaker, message("of the top stage"))
    )
    _add_seed(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=_help(speaker, message("put the run here"))
    )
    _add_json(parser, speaker)


def _add_race(parser: argparse.ArgumentParser, speaker: Words) -> None:
    _add_folder(parser, speaker)
    _add_seed(parser)
    _add_json(parser, speaker)


def _add_lr_find(parser: argparse.ArgumentParser, speaker: Words) -> None:
    _add_folder(parser, speaker)
    freeze = _help(speaker, message("as for train"))
    parser.add_argument("--freeze", default="head", metavar="WHAT", help=freeze)
    _add_scratch(parser, speaker)
    _add_seed(parser)
    _add_json(parser, speaker)


def _add_folder(parser: argparse.ArgumentParser, speaker: Words) -> None:
    """What to learn from, and on which network."""
    folder = message("one folder of pictures per class, or a zip")
    parser.add_argument("folder", type=Path, help=_help(speaker, folder))
    parser.add_argument("--backbone", default="efficientnet_lite0", metavar="NAME")


def _add_scratch(parser: argparse.ArgumentParser, speaker: Words) -> None:
    scratch = _help(speaker, message("begin with random weights"))
    parser.add_argument("--scratch", action="store_true", help=scratch)


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def _add_json(parser: argparse.ArgumentParser, speaker: Words) -> None:
    json = _help(speaker, message("one JSON object on the last line"))
    parser.add_argument("--json", action="store_true", help=json)


def _add_predict(parser: argparse.ArgumentParser, speaker: Words) -> None:
    written = message("what train has written")
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help=_help(speaker, written))
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    json = _help(speaker, message("one JSON list on the last line"))
    parser.add_argument("--json", action="store_true", help=json)


def _add_fetch(parser: argparse.ArgumentParser, speaker: Words) -> None:
    names = message("backbones, or: all")
    parser.add_argument("names", nargs="+", metavar="NAME", help=_help(speaker, names))


def _allow_many_connections() -> None:
    """As many open files as this process may have: a class is a thousand connections and more,
    and the usual bound is 1,024."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _serve(options: argparse.Namespace, settings: Settings, speaker: Words) -> int:
    """Show the page until somebody ends it. Gradio reads its variables when it is imported."""
    from tlapp.log import start_log
    from tlapp.workspace import open_uploads

    with ExitStack() as ending:
        ending.callback(start_log(settings.home))
        uploads = open_uploads(settings.home)
        ending.callback(uploads.close)
        _allow_many_connections()
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        os.environ["GRADIO_TEMP_DIR"] = str(uploads.path)
        from tlapp.ui.shell import launch

        launch(settings, uploads, speaker, host=options.host, port=options.port)
    return 0


def _run(options: argparse.Namespace, speaker: Words) -> int:
    """Import the command's module and run it."""
    settings = read_settings(
        os.environ,
        public=getattr(options, "public", False),
        hosts=getattr(options, "allow_host", ()),
    )
    if options.command == "serve":
        return _serve(options, settings, speaker)
    if options.command == "train":
        from tlapp.commands.train import train_folder

        return train_folder(options, settings.home, speaker)
    if options.command == "race":
        from tlapp.commands.race import race_folder

        return race_folder(options, settings.home, speaker)
    if options.command == "lr-find":
        from tlapp.commands.lr_find import find_rate_for_folder

        return find_rate_for_folder(options, settings.home, speaker)
    if options.command == "predict":
        from tlapp.commands.predict import predict_pictures

        return predict_pictures(options, settings.home, speaker)
    from tlapp.commands.fetch import fetch_weights

    return fetch_weights(options.names, settings.home, speaker)


if __name__ == "__main__":
    run_program()
