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
from pathlib import Path
from typing import NoReturn

from tlapp.commands import EXIT_PROBLEM, Terminated, exit_code_of
from tlapp.errors import TlappError
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
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return EXIT_PROBLEM
    try:
        return _run(options)
    except TlappError as error:
        print(f"{error}\n{error.hint}".strip(), file=sys.stderr)
        return EXIT_PROBLEM
    except KeyboardInterrupt as interrupt:
        print("Interrupted.", file=sys.stderr)
        return exit_code_of(interrupt)


def make_parser() -> argparse.ArgumentParser:
    """What can be typed."""
    parser = argparse.ArgumentParser(
        prog="python -m tlapp", description="Learn and do transfer learning."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="show the page in a browser"))
    _add_train(commands.add_parser("train", help="train on a folder of labelled pictures"))
    _add_race(commands.add_parser("race", help="train in five ways and compare them"))
    _add_lr_find(commands.add_parser("lr-find", help="find a learning rate for a folder"))
    _add_predict(commands.add_parser("predict", help="ask a trained run about pictures"))
    _add_fetch(commands.add_parser("fetch", help="download backbones ahead, for work offline"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=_port, help="port (default: the first free one from 7860)")
    parser.add_argument("--public", action="store_true", help="strangers may visit: tight limits")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer under this name, e.g. that of a proxy in front; may be given again",
    )


def _port(typed: str) -> int:
    port = int(typed) if typed.isdecimal() else 0
    if not 1 <= port <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{typed!r} is no port; choose one of 1 to {HIGHEST_PORT}")
    return port


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="one folder of pictures per class, or a zip")
    parser.add_argument("--backbone", default="efficientnet_lite0", metavar="NAME")
    parser.add_argument(
        "--freeze",
        default="head",
        metavar="WHAT",
        help="head: only the new head learns (seconds); last:N: the N top stages as well; "
        "none: everything (minutes); or the stages to freeze, separated by commas",
    )
    parser.add_argument(
        "--phases",
        default="",
        metavar="LIST",
        help="one after the other, e.g. head:20,fine:5 (fine: what --freeze lets learn)",
    )
    parser.add_argument("--scratch", action="store_true", help="begin with random weights")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: 30 for the head, else 5")
    parser.add_argument("--lr", type=float, metavar="X", help="learning rate of the head")
    parser.add_argument("--backbone-lr", type=float, metavar="X", help="of the top stage")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=Path, metavar="DIR", help="put the run here")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")


def _add_race(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="one folder of pictures per class, or a zip")
    parser.add_argument("--backbone", default="efficientnet_lite0", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")


def _add_lr_find(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="one folder of pictures per class, or a zip")
    parser.add_argument("--backbone", default="efficientnet_lite0", metavar="NAME")
    parser.add_argument("--freeze", default="head", metavar="WHAT", help="as for train")
    parser.add_argument("--scratch", action="store_true", help="begin with random weights")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="what train has written")
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    parser.add_argument("--json", action="store_true", help="one JSON list on the last line")


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="backbones, or: all")


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


def _serve(options: argparse.Namespace, settings: Settings) -> int:
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

        launch(settings, uploads, host=options.host, port=options.port)
    return 0


def _run(options: argparse.Namespace) -> int:
    """Import the command's module and run it."""
    settings = read_settings(
        os.environ,
        public=getattr(options, "public", False),
        hosts=getattr(options, "allow_host", ()),
    )
    if options.command == "serve":
        return _serve(options, settings)
    if options.command == "train":
        from tlapp.commands.train import train_folder

        return train_folder(options, settings.home)
    if options.command == "race":
        from tlapp.commands.race import race_folder

        return race_folder(options, settings.home)
    if options.command == "lr-find":
        from tlapp.commands.lr_find import find_rate_for_folder

        return find_rate_for_folder(options, settings.home)
    if options.command == "predict":
        from tlapp.commands.predict import predict_pictures

        return predict_pictures(options, settings.home)
    from tlapp.commands.fetch import fetch_weights

    return fetch_weights(options.names, settings.home)


if __name__ == "__main__":
    run_program()
