"""What tests of all rooms share: folders of real pictures, drawn or from beside the repository,
and the watch that none of them reaches another machine."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guard.outside import OUTSIDE_LOG, start_guard
from tests.pictures import class_folder, zip_folder
from tests.programs import WARM, leave_stubs_alone
from tests.server import AppServer, guarded_path, running_server
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS, Limits, Settings

REPOSITORY = Path(__file__).parents[1]


SERVER_FIXTURES = {"app_server", "browser", "drop_page", "widget_page"}
SERVER_FOLDERS = {"app", "browser"}


def pytest_configure() -> None:
    """Neither this process nor any that it starts reaches another machine.

    And: a shell that starts tests in the background has them, and the servers and commands that
    they start, ignore Ctrl-C; some tests send it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    is_guarded = OUTSIDE_LOG in os.environ  # the second of two workers: its Python did it
    folder = Path(tempfile.gettempdir())
    os.environ[OUTSIDE_LOG] = str(folder / f"tlapp-tests-{os.getpid()}-outside.log")
    if not is_guarded:
        os.environ["PYTHONPATH"] = guarded_path(os.environ)
        start_guard()
    leave_stubs_alone()


def pytest_unconfigure() -> None:
    """The process that servers are forked from goes with the tests."""
    WARM.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the real server or the real browser, and puts what is long first: the
    workers then end at the same time."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & SERVER_FIXTURES or item.path.parent.name in SERVER_FOLDERS:
            item.add_marker(pytest.mark.server)
    items.sort(key=_is_short)  # stable: files stay together


def _is_short(item: pytest.Item) -> tuple[bool, bool, bool]:
    marks = ("browser", "server", "slow")
    browser, server, slow = (item.get_closest_marker(mark) is None for mark in marks)
    return (browser, server, slow)


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine() -> Iterator[None]:
    """Fails the test in which this process, or a command that it started, called outside."""
    yield
    log = Path(os.environ[OUTSIDE_LOG])
    if log.exists():
        calls = log.read_text(encoding="utf-8")
        log.unlink()
        pytest.fail(f"Called outside:\n{calls}")


@pytest.fixture
def pictures_folder(tmp_path: Path) -> Path:
    """Three classes with eight pictures each."""
    return class_folder(tmp_path / "pictures")


@pytest.fixture
def pictures_zip(pictures_folder: Path, tmp_path: Path) -> Path:
    """The same as a zip."""
    return zip_folder(pictures_folder, tmp_path / "pictures.zip")


@pytest.fixture
def limits() -> Limits:
    return LOCAL_LIMITS


@pytest.fixture
def public_limits() -> Limits:
    return PUBLIC_LIMITS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home folder of the test's own."""
    return Settings(home=tmp_path / "home", is_public=False, limits=LOCAL_LIMITS)


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server for all tests of the page and the API; it must live through all of them."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server
        assert server.is_alive(), f"The server died during the tests:\n{server.log}"
        assert not server.outside_calls, f"The server called outside: {server.outside_calls}"


@pytest.fixture(scope="session")
def clothing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train/` and `val/` folders of photographed clothes; drawn patterns if there are none."""
    return _photographs("clothing10", tmp_path_factory)


@pytest.fixture(scope="session")
def traps_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of difficult files beside the repository; drawn patterns if there is none."""
    return _photographs("traps", tmp_path_factory)


def _photographs(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    beside = REPOSITORY.parent / "shared" / "data" / name
    if beside.is_dir():
        return beside
    folder = tmp_path_factory.mktemp(name)
    class_folder(folder / "train", per_class=10)
    class_folder(folder / "val", per_class=4, first_seed=100)
    return folder
