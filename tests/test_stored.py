"""JSON on disk: limits, types, seals, and the generation before."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.damage import DAMAGES
from tlapp.files import write_atomically
from tlapp.messages import Message, counted_message, verbatim
from tlapp.stored import (
    MOST_DEPTH,
    DamagedFileError,
    build,
    earlier_path,
    is_sealed,
    keep_earlier,
    parse_json,
    plain,
    read_generation,
    read_json,
    sealed,
)


@dataclass(frozen=True)
class Part:
    share: float


@dataclass(frozen=True)
class Thing:
    name: str
    count: int
    parts: tuple[Part, ...] = ()
    pair: tuple[int, str] | None = None
    kind: Literal["a", "b"] = "a"
    is_on: bool = False


@dataclass(frozen=True)
class Note:
    said: Message


def _write(path: Path, **values: Any) -> None:
    keep_earlier(path)
    write_atomically(path, sealed(values))


def _identity(values: Any) -> Any:
    return values


def test_what_is_sealed_is_plain_json_and_comes_back_without_the_seal(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    _write(path, name="caf\u00e9", numbers=[1, 2.5, None])
    assert json.loads(path.read_text())["name"] == "caf\u00e9"
    assert read_json(path) == {"name": "caf\u00e9", "numbers": [1, 2.5, None]}
    assert is_sealed(path)
    assert parse_json(sealed({})) == {}


def test_every_flipped_bit_is_seen_or_changes_nothing() -> None:
    values = {"epoch": 12, "accuracy": 0.75}
    content = sealed(values)
    for place in range(8 * len(content)):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        try:
            found = parse_json(bytes(changed))
        except DamagedFileError:
            continue
        assert {name: found.get(name) for name in values} == values


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_said_and_the_generation_before_answers(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.json"
    _write(path, count=1)
    _write(path, count=2, text="long enough" * 20)
    assert read_generation(path, _identity).value["count"] == 2
    DAMAGES[damage](path)
    if damage in ("mistype", "list_instead", "long_number"):
        return  # JSON all the same: whoever reads it checks the types
    found = read_generation(path, _identity)
    assert (found.value, bool(found.fault)) == ({"count": 1}, True)
    earlier_path(path).unlink()
    with pytest.raises(DamagedFileError):
        read_generation(path, _identity)


def test_a_damaged_file_does_not_take_the_place_of_the_good_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    _write(path, count=1)
    _write(path, count=2)
    path.write_bytes(b"torn")
    _write(path, count=3)
    path.write_bytes(b"torn again")
    assert read_generation(path, _identity).value == {"count": 1}


@pytest.mark.parametrize("call", ["link", "replace"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_crash_at_any_step_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    path = tmp_path / "a.json"
    _write(path, count=1)
    _write(path, count=2)
    calls: list[str] = []
    target, name = (os, "link") if call == "link" else (Path, "replace")
    original = getattr(target, name)

    def crash(*arguments: Any) -> Any:
        calls.append(name)
        if len(calls) == number:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(target, name, crash)
    with suppress(KeyboardInterrupt):
        _write(path, count=3)
    monkeypatch.undo()
    found = read_generation(path, _identity)
    assert not found.fault
    assert found.value["count"] in (2, 3)
    assert read_json(earlier_path(path))["count"] in (1, 2)


def test_without_hard_links_the_generation_before_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a.json"
    _write(path, count=1)
    _write(path, count=2)
    assert read_json(earlier_path(path)) == {"count": 1}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "a.json.before"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0", b"{", b'{"a": NaN}', b'{"a": 1e400}', b'{"a": ' + b"1" * 300 + b"}"),
        b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1),
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_json_cannot_hold_here_is_refused(content: bytes) -> None:
    with pytest.raises(DamagedFileError):
        parse_json(content)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"name": 1}, {"count": "3"}, {"count": True}, {"count": 3.5}, {"parts": {}}),
        *({"parts": [1]}, {"parts": [{"share": "x"}]}, {"pair": [1]}, {"pair": ["x", 1]}),
        *({"kind": "c"}, {"kind": []}, {"is_on": 1}, {"name": None}),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_the_name_of_its_field(
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(DamagedFileError, match=next(iter(wrong))):
        build(Thing, {"name": "x", "count": 3, **wrong})


def test_what_is_wrong_within_an_object_is_said_with_both_names() -> None:
    with pytest.raises(DamagedFileError) as caught:
        build(Thing, {"name": "x", "count": 3, "parts": [{"share": "x"}]})
    assert caught.value.fault.value("name") == "parts"
    inner = caught.value.fault.value("fault")
    assert isinstance(inner, Message)
    assert inner.value("name") == "share"


def test_a_message_is_kept_as_id_and_values_and_a_sentence_of_before_opens() -> None:
    said = counted_message("{count} file", "{count} files", count=2)
    assert plain(Note(said)) == {"said": said.to_json()}
    assert build(Note, json.loads(json.dumps(plain(Note(said))))) == Note(said)
    assert build(Note, {"said": "2 {files}"}) == Note(verbatim("2 {files}"))
    with pytest.raises(DamagedFileError, match="said is no message"):
        build(Note, {"said": 2})


def test_values_become_what_the_fields_declare_and_others_are_passed_over() -> None:
    values = {"name": "x", "count": 3, "parts": [{"share": 1}], "pair": [1, "y"], "later": 1}
    assert build(Thing, values) == Thing("x", 3, (Part(1.0),), (1, "y"))
    with pytest.raises(DamagedFileError, match="count"):
        build(Thing, {"name": "x"})
