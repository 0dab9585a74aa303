"""The log: bounded, told by numbers, and without what visitors have named."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from uvicorn import Config

from tlapp.errors import DataError
from tlapp.log import FILE_BYTES, INCIDENTS_NAME, LOG_NAME, start_log
from tlapp.messages import verbatim
from tlapp.ui.handling import bind

NAME = "Anna-Mueller.jpg"
LOGGERS = ("tlapp", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """What a test sets up is taken back: loggers belong to the whole process."""
    loggers = [logging.getLogger(), *map(logging.getLogger, LOGGERS)]
    before = [
        (each, each.level, list(each.handlers), list(each.filters), each.propagate)
        for each in loggers
    ]
    yield
    for each, level, handlers, filters, propagates in before:
        for handler in each.handlers:
            if handler not in handlers:
                handler.close()
        each.setLevel(level)
        each.handlers[:], each.filters[:], each.propagate = handlers, filters, propagates


def _text(home: Path, name: str = LOG_NAME) -> str:
    return (home / "logs" / name).read_text("utf-8")


def _break() -> None:
    try:
        raise ValueError(f"cannot read {NAME}")
    except ValueError as fault:
        raise FileNotFoundError(2, "No such file", f"/home/anna/{NAME}") from fault


def test_a_log_is_kept_within_its_files_whatever_is_written(tmp_path: Path) -> None:
    start_log(tmp_path)
    logger = logging.getLogger("tlapp.test")
    for number in range(40_000):
        logger.info("Refused %s: %s", number, "x" * 400)
    for _ in range(300):
        try:
            _break()
        except OSError:
            logger.exception("Incident %s", "y" * 100_000)
    files = list((tmp_path / "logs").iterdir())
    assert {file.name for file in files} >= {LOG_NAME, f"{LOG_NAME}.2", INCIDENTS_NAME}
    assert all(file.stat().st_size <= FILE_BYTES for file in files)
    assert len(files) <= 6


def test_only_the_owner_reads_the_files_also_after_they_were_changed(tmp_path: Path) -> None:
    start_log(tmp_path)
    for number in range(5_000):
        logging.getLogger("tlapp.test").warning("%s %s", number, "x" * 400)
    files = list((tmp_path / "logs").iterdir())
    assert any(file.name == f"{LOG_NAME}.1" for file in files)
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / "logs" / LOG_NAME)
    start_log(tmp_path)
    assert "stderr alone" in capsys.readouterr().err


def test_when_the_log_ends_nothing_of_it_is_left(tmp_path: Path) -> None:
    loggers = [logging.getLogger(), *map(logging.getLogger, LOGGERS)]
    before = [(each.level, list(each.handlers), list(each.filters)) for each in loggers]
    start_log(tmp_path)()
    assert [(each.level, each.handlers, each.filters) for each in loggers] == before


def test_an_incident_is_found_by_its_number_with_its_place_and_without_its_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path)
    with pytest.raises(gr.Error) as shown:
        bind(_break)()
    printed = capsys.readouterr().err
    for text in (_text(tmp_path), _text(tmp_path, INCIDENTS_NAME), printed):
        line = next(line for line in text.splitlines() if "Incident" in line)
        incident = line.rsplit(" ", 1)[1]
        assert incident in shown.value.message
        assert "FileNotFoundError (errno 2)" in text
        assert "caused by ValueError" in text
        assert "test_log.py" in text
        assert "in _break" in text
        assert NAME not in text


def test_a_refusal_is_one_line_without_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise DataError(verbatim(f"{NAME} is empty."), hint=verbatim("Leave it out."))

    start_log(tmp_path)
    with pytest.raises(gr.Error):
        bind(refuse)()
    lines = _text(tmp_path).splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("Refused refuse: DataError")
    assert _text(tmp_path, INCIDENTS_NAME) == ""
    assert capsys.readouterr().err == ""


def test_what_other_programs_say_is_told_by_its_place_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path)
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", NAME)
    for text in (_text(tmp_path), capsys.readouterr().err):
        assert "ERROR asyncio: test_log.py:" in text
        assert NAME not in text


def test_the_web_servers_records_go_there_too_after_it_has_set_up_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path)
    Config(app=lambda: None, log_level="warning")  # sets up uvicorn's loggers
    try:
        _break()
    except OSError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application: %s", NAME)
    for text in (_text(tmp_path), capsys.readouterr().err):
        assert "ERROR uvicorn.error:" in text
        assert text.count("FileNotFoundError") == 1
        assert NAME not in text
        assert "Traceback" not in text


def test_a_line_has_no_line_breaks_of_what_it_tells(tmp_path: Path) -> None:
    start_log(tmp_path)
    logging.getLogger("tlapp.test").warning("one\nINFO forged\rtwo")
    assert len(_text(tmp_path).splitlines()) == 1


def test_a_home_that_takes_no_log_still_logs_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    start_log(tmp_path)
    logging.getLogger("tlapp.test").error("Incident 12345678")
    printed = capsys.readouterr().err
    assert "cannot be written" in printed
    assert "Incident 12345678" in printed


def test_a_disk_that_fills_up_later_costs_the_line_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path)
    (tmp_path / "logs" / LOG_NAME).unlink()
    (tmp_path / "logs" / LOG_NAME).mkdir()  # opening it fails from now on
    logging.getLogger("tlapp.test").error("Incident 12345678")
    printed = capsys.readouterr().err
    assert "Incident 12345678" in printed
    assert "Traceback" not in printed
