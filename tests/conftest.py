"""What tests of all rooms share: folders of real pictures, drawn or from beside the repository."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import class_folder, zip_folder
from tests.server import AppServer, running_server
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS, Limits, Settings

REPOSITORY = Path(__file__).parents[1]


def pytest_configure() -> None:
    """A shell that starts tests in the background has them, and the servers and commands that
    they start, ignore Ctrl-C; some tests send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
