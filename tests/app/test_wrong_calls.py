"""Wrong calls of every public endpoint on the real server: each is answered in words, none costs a
traceback, and the log keeps no name of a visitor's file."""

import html
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from tests.app.visits import client_of
from tests.pictures import class_folder, zip_folder
from tests.server import LOCAL_HTTP, AppServer, running_server
from tlapp.settings import LOCAL_LIMITS
from tlapp.workspace import new_visitor

UNKNOWN_RUN = "r_" + "a" * 32
LONGEST_WORDS = 800  # characters
REFUSAL_SECONDS = 0.5  # of the server's processor; a refusal takes some 10 ms


def _file(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def _deep(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


# Nothing of this is an id, a file, a number, a text that names something, or an object of settings.
NOTHING: dict[str, Any] = {
    "true": True,
    "negative": -1,
    "fraction": 1.5,
    "huge number": 10**400,
    "not a number": float("nan"),
    "long text": "x" * 100_000,
    "half a character": "\ud800",
    "zero byte": "\x00",
    "tag": "<img src=x onerror=alert(1)>",
    "path": "../../../../etc/passwd",
    "address": "http://localhost:1/x",
    "list": ["a"],
    "lists": [[[]]],
    "deep list": _deep(500),
    "object": {"a": {"b": 1}},
    "file of the server": _file("/etc/passwd"),
    "file at an address": _file("http://localhost:1/x.zip", url="http://localhost:1/x.zip"),
    "stream": _file("/etc/passwd", is_stream=True),
    "file without a path": {"path": None, "meta": {"_type": "gradio.FileData"}},
    "file that is a list": _file(["/etc/passwd"]),  # type: ignore[arg-type]  # wrong on purpose
    "broken mark": {"path": "/etc/passwd", "meta": 3},
}
EMPTY: dict[str, Any] = {"null": None, "empty text": ""}

# What each setting is called in the words about it.
SETTINGS = {
    "phases": "phases",
    "scratch": "scratch",
    "backbone": "backbone",
    "pretrained": "pretrained",
    "freeze": "freeze",
    "head_epochs": "epochs of the head",
    "epochs": "number of epochs",
    "learning_rate": "The learning rate",
    "backbone_learning_rate": "backbone learning rate",
    "rate_decay": "rate decay",
    "stage_rates": "rates of stages",
    "train_batchnorm": "train_batchnorm",
    "batch_size": "batch size",
    "optimizer": "optimizer",
    "weight_decay": "weight decay",
    "label_smoothing": "label smoothing",
    "dropout": "dropout",
    "class_weights": "class_weights",
    "patience": "patience",
    "augmented_views": "augmented views",
    "seed": "seed",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server whose log is about wrong calls alone."""
    with running_server(tmp_path_factory.mktemp("wrong")) as server:
        yield server
        assert server.is_alive(), server.log
        assert not server.outside_calls, server.outside_calls


@pytest.fixture(scope="module")
def programs(server: AppServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, **LOCAL_HTTP) as client:
        yield client


@pytest.fixture(scope="module")
def dataset_id(server: AppServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data set that trainings could learn from."""
    folder = tmp_path_factory.mktemp("brought")
    archive = zip_folder(class_folder(folder / "set", ("a", "b"), per_class=4), folder / "set.zip")
    client = client_of(server)
    try:
        brought = client.predict(handle_file(archive), api_name="/create_dataset")
    finally:
        client.close()
    return str(brought["dataset_id"])


def _post(programs: httpx.Client, path: str, data: object) -> httpx.Response:
    body = json.dumps({"data": data})  # writes NaN and halves of characters, as others may
    return programs.post(path, content=body, headers={"content-type": "application/json"})


def _words(answer: httpx.Response) -> str:
    """The words of a refusal, once it is sure that they are words and nothing else."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    words = answer.json()["error"]
    assert isinstance(words, str), answer.text[:300]
    return _checked(words)


def _page_words(answer: httpx.Response) -> str:
    """The same for a message of the page, which is HTML."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    words: str = answer.json()["error"]
    marked = words.replace("<code>", "").replace("</code>", "")
    _checked(html.unescape(marked))
    return marked


def _checked(words: str) -> str:
    assert len(words.split()) >= 3, words
    assert len(words) <= LONGEST_WORDS, words
    assert "on our side" not in words
    for inner in (
        "Traceback",
        "/tmp",
        "/home",
        "passwd:",
        "site-packages",
        "x" * 200,
        "&#",
        "&lt;",
    ):
        assert inner not in words, words
    return words


def _refuse_all(programs: httpx.Client, calls: list[tuple[str, list[Any]]]) -> list[str]:
    return [_words(_post(programs, f"/gradio_api/run/{name}", data)) for name, data in calls]


def test_an_id_that_is_none_is_refused_by_every_endpoint_that_takes_one(
    programs: httpx.Client, server: AppServer
) -> None:
    rest: dict[str, tuple[str, list[Any]]] = {
        "run": ("run_id", []),
        "stop": ("run_id", []),
        "experiment": ("experiment_id", []),
        "predict": ("run_id", [None]),
        "train": ("dataset_id", ["efficientnet_lite0", "head", 1, None, 0]),
        "train_with": ("dataset_id", [{"epochs": 1}]),
        "race": ("dataset_id", ["efficientnet_lite0", 0]),
        "lr_find": ("dataset_id", ["efficientnet_lite0", "head"]),
    }
    for name, (field, others) in rest.items():
        values = [*NOTHING.values(), *EMPTY.values()]
        said = _refuse_all(programs, [(name, [value, *others]) for value in values])
        assert len(said) == 23
        assert all(field in words for words in said[-2:])  # empty: it is named
    assert "Traceback" not in server.log


def test_what_is_no_upload_is_refused_where_files_are_wanted(
    programs: httpx.Client, server: AppServer
) -> None:
    values = [*NOTHING.values(), *EMPTY.values(), _file(str(server.home)), _file(server.url)]
    zips = _refuse_all(programs, [("create_dataset", [value]) for value in values])
    calls = [("predict", [UNKNOWN_RUN, each]) for value in values for each in (value, [value])]
    _refuse_all(programs, calls)
    assert all("zip" in words.lower() for words in zips), zips
    assert "Traceback" not in server.log


def test_values_of_a_training_are_refused_by_their_names(
    programs: httpx.Client, server: AppServer, dataset_id: str
) -> None:
    usual: dict[str, Any] = {
        "backbone": "efficientnet_lite0",
        "freeze": "head",
        "epochs": 1,
        "learning_rate": None,
        "seed": 0,
    }
    for name, value in itertools.product(usual, ("true", "long text", "list", "object")):
        values = {**usual, name: NOTHING[value]}
        (words,) = _refuse_all(programs, [("train", [dataset_id, *values.values()])])
        assert name.replace("_", " ") in words.replace("_", " "), (name, value, words)
    for name, value in itertools.product(("epochs", "learning_rate", "seed"), (-1, 10**400)):
        values = {**usual, name: value}
        (words,) = _refuse_all(programs, [("train", [dataset_id, *values.values()])])
        assert name.replace("_", " ") in words, (name, value, words)
    for name, word in SETTINGS.items():
        (words,) = _refuse_all(programs, [("train_with", [dataset_id, {name: {"a": 1}}])])
        assert word in words, (name, words)
    (words,) = _refuse_all(programs, [("train_with", [dataset_id, {"scratch": "no"}])])
    assert "scratch" in words
    for settings in ([1], "epochs", 3, {"colour": "red"}, {str(each): 1 for each in range(999)}):
        _refuse_all(programs, [("train_with", [dataset_id, settings])])
    for name, others in (("race", [0]), ("lr_find", ["head"])):
        for value in ("true", "long text", "list", "object", "tag"):
            _refuse_all(programs, [(name, [dataset_id, NOTHING[value], *others])])
    assert "Traceback" not in server.log


def test_a_limit_that_is_told_is_this_machine_s(programs: httpx.Client, dataset_id: str) -> None:
    limit = f"{LOCAL_LIMITS.epochs:,}"
    for settings in (
        {"epochs": 10_001},
        {"epochs": 0},
        {"head_epochs": 10_001, "freeze": "none"},
        {"phases": "head:10001"},
        {"phases": "head:600,none:600"},
        {"head_epochs": 600, "epochs": 600, "freeze": "none"},
    ):
        (words,) = _refuse_all(programs, [("train_with", [dataset_id, settings])])
        assert limit in words
        assert "10000" not in words


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_and_too_many_values_are_counted(programs: httpx.Client, count: int) -> None:
    said = _refuse_all(
        programs, [(name, ["a"] * count) for name in ("train", "predict", "race", "lr_find")]
    )
    assert all(f"{count} were sent" in words for words in said)


def test_calls_through_the_queue_are_refused_in_the_same_words(
    programs: httpx.Client, server: AppServer, dataset_id: str
) -> None:
    calls: list[tuple[str, list[Any]]] = [
        ("run", [None]),
        ("run", [10**400]),
        ("stop", [["a"]]),
        ("predict", [None, None]),
        ("create_dataset", [_file("/etc/passwd")]),
        ("create_dataset", ["a.zip"]),
        ("train_with", [dataset_id, {"scratch": "no"}]),
        ("train", [dataset_id]),
    ]
    for name, data in calls:
        by_itself = _words(_post(programs, f"/gradio_api/run/{name}", data))
        joined = _post(programs, f"/gradio_api/call/{name}", data)
        event_id = joined.json()["event_id"]
        told = programs.get(f"/gradio_api/call/{name}/{event_id}").text
        kind, _, said = told.partition("\ndata: ")
        assert kind == "event: error"
        assert json.loads(said)["error"] == by_itself
    assert "Traceback" not in server.log


def test_gradio_s_own_client_gets_the_words_too(server: AppServer, dataset_id: str) -> None:
    client = client_of(server)
    wrong: list[tuple[list[Any], str]] = [
        ([None], "/run"),
        ([3], "/stop"),
        ([None, []], "/predict"),
        ([dataset_id, {"phases": "head:1," * 5_000}], "/train_with"),
        ([dataset_id, "efficientnet_lite0", "head", "five", None, 0], "/train"),
    ]
    try:
        for values, name in wrong:
            with pytest.raises(AppError) as refusal:
                client.predict(*values, api_name=name)
            _checked(str(refusal.value))
    finally:
        client.close()
    assert "Traceback" not in server.log


def test_a_wrong_value_of_a_page_event_is_refused_in_words(
    programs: httpx.Client, server: AppServer
) -> None:
    config = programs.get("/config").json()
    states = {each["id"] for each in config["components"] if each["type"] == "browserstate"}
    events = [
        event
        for event in config["dependencies"]
        if event.get("api_visibility") == "private" and event.get("api_name")
    ]
    assert states
    assert len(events) > 80
    wrong = itertools.cycle([None, "x" * 10_000, ["a"], {"path": "/etc/passwd"}, -1, "\ud800"])
    for event in events:
        nobody = [next(wrong)] * len(event["inputs"])
        somebody = [
            new_visitor() if component in states else next(wrong) for component in event["inputs"]
        ]
        for values in (nobody, somebody):
            answer = _post(programs, f"/gradio_api/run/{event['api_name']}", values)
            if answer.status_code != 200:  # what shows the page has nothing to refuse
                assert "<" not in _page_words(answer)
    assert "Traceback" not in server.log
    assert "Incident" not in server.log


def test_a_refusal_costs_next_to_nothing(
    programs: httpx.Client, server: AppServer, dataset_id: str
) -> None:
    calls: list[tuple[str, list[Any]]] = [
        ("train_with", [dataset_id, {"phases": "head:1," * 5_000}]),
        ("train_with", [dataset_id, {"phases": ",".join(["head:1"] * 140)}]),
        ("train_with", [dataset_id, {"freeze": "stage 1," * 10_000}]),
        ("train", [dataset_id, "x" * 500_000, "head", 1, None, 0]),
        ("run", [["x"] * 20_000]),
    ]
    _refuse_all(programs, calls)  # what is loaded once, is loaded
    before = _processor_seconds(server)
    for _ in range(4):
        _refuse_all(programs, calls)
    assert _processor_seconds(server) - before < 4 * len(calls) * REFUSAL_SECONDS


def _processor_seconds(server: AppServer) -> float:
    """What the server has computed so far, however busy the machine is."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def test_the_log_has_a_line_for_a_refusal_and_no_name_of_a_file(
    server: AppServer, tmp_path: Path
) -> None:
    name = "Anna-Mueller"
    picture, archive = tmp_path / f"{name}.jpg", tmp_path / f"{name}.zip"
    picture.write_bytes(b"no picture")
    archive.write_bytes(b"no zip")
    client = client_of(server)
    try:
        for values, endpoint in (
            ([handle_file(archive)], "/create_dataset"),
            ([handle_file(picture)], "/create_dataset"),
            ([UNKNOWN_RUN, [handle_file(picture)]], "/predict"),
        ):
            with pytest.raises(AppError):
                client.predict(*values, api_name=endpoint)
    finally:
        client.close()
    kept = sorted((server.home / "logs").iterdir())
    texts = [file.read_text("utf-8") for file in kept]
    assert "Refused create_dataset: DataError" in "".join(texts)
    assert "Refused predict: NotFoundError" in "".join(texts)
    for text in (*texts, server.log):
        assert name not in text
        assert "Traceback" not in text
        assert "Incident" not in text
