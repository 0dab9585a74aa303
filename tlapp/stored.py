"""JSON on disk: sealed when written, read within limits, checked against the types it is used as.

Every JSON file of tlapp is read here. What was rewritten in place has its earlier generation beside
it (`<name>.before`), which answers when the newest is damaged. Whoever deletes a file deletes its
earlier generation first, so that a crash in between brings nothing back.
"""

import json
import math
import os
import re
import stat
import types
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, Literal, NoReturn, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as type_hints_of

from tlapp.errors import reason_of
from tlapp.files import temporary_path, write_atomically
from tlapp.messages import NOTHING, Message, counted_message, message

Built = TypeVar("Built")
Check = Callable[[Any], Any]  # the value as it is used; raises _UnfitError, DamagedFileError

MOST_BYTES = 10_000_000  # of one file, unless its reader says otherwise
MOST_DEPTH = 16  # lists and objects within each other; tlapp writes 4
MOST_DIGITS = 20  # of a whole number; a seed has 19
EARLIER_SUFFIX = ".before"
NO_OBJECT: Final = message("it is not one JSON object")
_TOO_DEEP = message("it is nested too deeply")
_NO_TEXT = message("its field {name} is no text")
_NO_FLAG = message("its field {name} is neither true nor false")
_NOT_WHOLE = message("its field {name} is no whole number")
_NO_NUMBER = message("its field {name} is no number")
_SEAL_KEY = "checksum"
_SEAL = re.compile(rb',"checksum":"([0-9a-f]{8})"\}\Z')
_SEAL_BYTES = len(b',"checksum":"00000000"}')


class DamagedFileError(Exception):
    """What stands in the file is not what was written.

    `error.fault` says how, as a clause after a colon ("it is torn, or no JSON"), and names no file.
    """

    def __init__(self, fault: Message) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return str(self.fault)


class _UnfitError(Exception):
    """A value is not what its field declares; `said` says so of the `{name}` of a field."""

    def __init__(self, said: Message) -> None:
        super().__init__(said)
        self.said = said


def fault_in(error: Exception) -> Message:
    """What is the matter with the file that an error for people was raised from."""
    cause = error.__cause__
    return cause.fault if isinstance(cause, DamagedFileError) else message("it cannot be used")


@dataclass(frozen=True)
class Generation(Generic[Built]):
    """What a file holds, or held before it was damaged."""

    value: Built
    fault: (
        Message  # what is the matter with the newest, so that this is the earlier one; or NOTHING
    )


def sealed(values: Mapping[str, Any], **how: Any) -> bytes:
    """The object as JSON whose last field is a checksum (CRC-32) of all that stands before it.

    `how` goes to `json.dumps`. It is plain JSON for every other program.
    """
    content = json.dumps(values, allow_nan=False, **how).encode("ascii").removesuffix(b"}")
    if not values:
        return content + b"}"
    return content + b',"%s":"%08x"}' % (_SEAL_KEY.encode(), zlib.crc32(content))


def is_sealed(path: Path, *, most_bytes: int = MOST_BYTES) -> bool:
    """Whether tlapp has written this file and it is as it was; much quicker than reading it."""
    try:
        return _has_right_seal(read_content(path, most_bytes)) is True
    except (FileNotFoundError, DamagedFileError):
        return False


def parse_json(content: bytes) -> Any:
    """The value in `content`. Raises DamagedFileError: torn, changed, too deep, no JSON."""
    if _has_right_seal(content) is False:
        raise DamagedFileError(message("its checksum is wrong"))
    try:
        values = json.loads(
            content.decode("utf-8"),
            parse_int=_whole_number,
            parse_float=_finite_number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise DamagedFileError(_TOO_DEEP) from None
    except ValueError:  # its words quote the content
        raise DamagedFileError(message("it is torn, or no JSON")) from None
    _check_depth(values)
    if isinstance(values, dict):
        values.pop(_SEAL_KEY, None)
    return values


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> Any:
    """The value at `path`. Raises FileNotFoundError, and DamagedFileError for anything else."""
    return parse_json(read_content(path, most_bytes))


def read_content(path: Path, most_bytes: int) -> bytes:
    """The bytes of a plain file, never more than that. Raises as `read_json` does."""
    try:
        size = check_plain_file(path)
        if size > most_bytes:
            raise DamagedFileError(_too_large(size, most_bytes))
        with path.open("rb") as file:
            return file.read(most_bytes)
    except FileNotFoundError:
        if path.is_symlink():
            raise DamagedFileError(message("it is a link that leads nowhere")) from None
        raise
    except OSError as error:
        raise DamagedFileError(
            message("it cannot be read: {reason}", reason=reason_of(error))
        ) from error


def check_plain_file(path: Path) -> int:
    """The bytes of a file. Raises OSError, and DamagedFileError for anything that is no file: to
    open a pipe would wait for ever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DamagedFileError(message("something else than a file stands in its place"))
    return status.st_size


def _too_large(size: int, most_bytes: int) -> Message:
    return counted_message(
        "it has {count} byte, at most {most} fit",
        "it has {count} bytes, at most {most} fit",
        count=size,
        most=most_bytes,
    )


def earlier_path(path: Path) -> Path:
    """Where the earlier generation of this file is kept."""
    return path.with_name(path.name + EARLIER_SUFFIX)


def keep_earlier(path: Path, *, most_bytes: int = MOST_BYTES, is_sound: bool = False) -> None:
    """Keep what stands at `path`, if it is sound, as its earlier generation. Before each rewrite.

    `is_sound` says that it was read as it is now, and was sound. A crash at any moment leaves both
    files whole. A disk that cannot keep two is no failure.
    """
    if not is_sound and not _is_sound(path, most_bytes):
        return  # the good one before it must stay
    temporary = temporary_path(earlier_path(path))
    with suppress(OSError):
        try:
            os.link(path, temporary)
            temporary.replace(earlier_path(path))
        except OSError:  # a file system without hard links
            write_atomically(earlier_path(path), path.read_bytes())
        finally:
            temporary.unlink(missing_ok=True)  # two names of one file are not renamed


def _is_sound(path: Path, most_bytes: int) -> bool:
    try:
        content = read_content(path, most_bytes)
        is_right = _has_right_seal(content)
        if is_right is None:
            parse_json(content)  # an earlier version's file, which had no seal
    except (FileNotFoundError, DamagedFileError):
        return False
    return is_right is not False


def read_generation(
    path: Path, make: Callable[[Any], Built], *, most_bytes: int = MOST_BYTES
) -> Generation[Built]:
    """What `make` makes of the file, or of its earlier generation where the newest is damaged.

    `make` raises DamagedFileError for what it cannot use. Raises FileNotFoundError when there is no
    file (an earlier generation alone is not looked at), DamagedFileError when neither is sound.
    """
    try:
        return Generation(make(read_json(path, most_bytes=most_bytes)), NOTHING)
    except DamagedFileError as fault:
        try:
            earlier = make(read_json(earlier_path(path), most_bytes=most_bytes))
        except (FileNotFoundError, DamagedFileError):
            raise fault from None
        return Generation(earlier, fault.fault)


def plain(value: object, put: Callable[[Message], object] = Message.to_json) -> Any:
    """What JSON can hold of a value that `build` makes again: dataclasses become objects. `put`
    makes what stands for a message: its id with its values, or its words (`Words.say`)."""
    if isinstance(value, Message):
        return put(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), put) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(each, put) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, put) for each in value]
    return value


def build(kind: type[Built], values: object) -> Built:
    """The dataclass `kind` with these values, each of the type that its field declares.

    Lists become tuples, objects the dataclasses that fields name; what this version does not know
    is passed over. Raises DamagedFileError, naming the field.
    """
    checked = check_fields(kind, values)
    try:
        return kind(**checked)
    except TypeError:
        names = [field.name for field in fields(kind) if field.name not in checked]  # type: ignore[arg-type]  # a dataclass
        raise DamagedFileError(
            message("it lacks some of: {names}", names=", ".join(names))
        ) from None


def check_fields(kind: type, values: object) -> dict[str, Any]:
    """Those of the values that are fields of the dataclass `kind`, as it takes them.

    Raises DamagedFileError, naming the field.
    """
    if not isinstance(values, Mapping):
        raise DamagedFileError(NO_OBJECT)
    checked: dict[str, Any] = {}
    for name, check in _checks(kind).items():
        if name in values:
            try:
                checked[name] = check(values[name])
            except _UnfitError as unfit:
                raise DamagedFileError(_about(name, unfit.said)) from None
            except DamagedFileError as error:  # of an object within
                raise DamagedFileError(
                    message("its field {name}: {fault}", name=name, fault=error.fault)
                ) from None
    return checked


def _about(name: str, said: Message) -> Message:
    """What is said of the field `{name}`, with its name."""
    return replace(said, values=(("name", name), *said.values))


@cache
def _checks(kind: type) -> Mapping[str, Check]:
    """What each field of a dataclass must be."""
    hints = type_hints_of(kind)
    return {field.name: _check_of(hints[field.name]) for field in fields(kind)}


def _check_of(hint: Any) -> Check:
    """A check of values that are declared like this."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if hint is Message:
        return _as_message
    if is_dataclass(hint):
        return lambda value: build(hint, value)  # type: ignore[arg-type]  # a class, no instance
    if origin in (Union, types.UnionType):
        others = [_check_of(each) for each in arguments if each is not type(None)]
        assert len(others) == 1, f"{hint} is no type that JSON tells apart."
        return lambda value: None if value is None else others[0](value)
    if origin is Literal:
        return lambda value: (
            value if value in arguments else _refuse(message("its field {name} is not known"))
        )
    if origin is tuple:
        return _tuple_check([_check_of(each) for each in arguments if each is not ...], arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_check(_check_of(arguments[1]))
    return _PLAIN_CHECKS[hint]


def _tuple_check(checks: list[Check], arguments: tuple[Any, ...]) -> Check:
    is_open = arguments[-1] is ...

    def check(value: Any) -> Any:
        if not isinstance(value, list):
            _refuse(message("its field {name} is no list"))
        if is_open:
            return tuple(map(checks[0], value))
        if len(value) != len(checks):
            _refuse(
                counted_message(
                    "its field {name} is not {count} value",
                    "its field {name} is not {count} values",
                    count=len(checks),
                )
            )
        return tuple(check(each) for check, each in zip(checks, value, strict=True))

    return check


def _mapping_check(check_value: Check) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            _refuse(message("its field {name} is no object"))
        return {name: check_value(each) for name, each in value.items()}

    return check


def _as_message(value: Any) -> Message:
    try:
        return Message.from_json(value)
    except ValueError:
        return _refuse(message("its field {name} is no message"))


def _is_text(value: Any) -> Any:
    return value if isinstance(value, str) else _refuse(_NO_TEXT)


def _is_flag(value: Any) -> Any:
    return value if isinstance(value, bool) else _refuse(_NO_FLAG)


def _is_whole(value: Any) -> Any:
    return value if type(value) is int else _refuse(_NOT_WHOLE)


def _is_number(value: Any) -> Any:
    return float(value) if type(value) in (int, float) else _refuse(_NO_NUMBER)


_PLAIN_CHECKS: Mapping[type, Check] = types.MappingProxyType(
    {str: _is_text, bool: _is_flag, int: _is_whole, float: _is_number}
)


def _refuse(said: Message) -> NoReturn:
    raise _UnfitError(said)


def _has_right_seal(content: bytes) -> bool | None:
    """Whether the content is as it was written; None: it has no seal (an earlier version's)."""
    seal = _SEAL.match(content, max(0, len(content) - _SEAL_BYTES))
    return None if seal is None else int(seal[1], 16) == zlib.crc32(content[: seal.start()])


def _check_depth(values: Any) -> None:
    """Refuse what would need too deep a recursion later; level by level, so none here."""
    level = [values] if isinstance(values, dict | list) else []
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise DamagedFileError(_TOO_DEEP)


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError("This number is too large.")
    return int(digits)


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("This number is too large.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON.")
