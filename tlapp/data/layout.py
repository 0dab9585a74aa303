"""From folders to classes: which folder names are labels, which are parts, which only wrap.

Recognised: `class/1.jpg`; one or more wrapping folders around the classes;
`train|val|test/class/1.jpg`; `class/train/1.jpg`. As in torchvision's `ImageFolder` the outermost
folder that is none of these is the class, and folders inside a class folder belong to it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tlapp.data.images import (
    CLASS_NAME_CHARACTERS,
    Finding,
    Part,
    Skipped,
    same_class_key,
    some_quoted,
)
from tlapp.data.source import Listing, SourceFile, is_named_as_picture
from tlapp.errors import DataError
from tlapp.messages import counted_message, message

_PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class PlacedFile:
    """A file with the class and part that its folders say."""

    file: SourceFile
    class_name: str
    part: Part


@dataclass(frozen=True)
class Layout:
    """Every file in its class."""

    placed: tuple[PlacedFile, ...]
    skipped: tuple[Skipped, ...]
    ignored_count: int
    findings: tuple[Finding, ...]


def arrange(listing: Listing) -> Layout:
    """The classes that the folders of `listing` show. Raises `DataError` if there are none."""
    telling = _telling(listing.files)
    depth = _wrapping_depth(telling)
    has_parts = _has_part_folders(telling, depth)
    placed: list[PlacedFile] = []
    skipped = list(listing.skipped)
    ignored = listing.ignored_count
    for file in listing.files:
        class_name, part = _label(file.folders[depth:], has_parts=has_parts)
        if class_name:
            placed.append(PlacedFile(file, class_name, part))
        elif is_named_as_picture(file.name):
            skipped.append(
                Skipped(file.name, message("{name} is not in a class folder.", name=file.name))
            )
        else:
            ignored += 1
    if telling and not placed:
        raise DataError(
            message("The pictures are not in class folders."),
            hint=message("Put the pictures of each class into a folder named after the class."),
        )
    _check_name_lengths(placed)
    placed, merged = _merge_like_names(placed)
    nested = _nested_finding(placed, depth + 1 + has_parts)
    return Layout(tuple(placed), tuple(skipped), ignored, (*merged, *nested))


def _telling(files: tuple[SourceFile, ...]) -> list[SourceFile]:
    """The files that say something about the layout; a README beside the folders does not."""
    pictures = [file for file in files if is_named_as_picture(file.name)]
    return pictures or list(files)


def _wrapping_depth(files: Iterable[SourceFile]) -> int:
    """How many outer folders only wrap the ones that count."""
    paths = {file.folders for file in files}
    depth = 0
    while _only_wraps({path[depth:] for path in paths if len(path) > depth}):
        depth += 1
    return depth


def _only_wraps(paths: set[tuple[str, ...]]) -> bool:
    """Whether all `paths` begin with one folder that is neither a class nor a part."""
    outer = {path[0] for path in paths}
    if len(outer) != 1:
        return False
    inner = {path[1] for path in paths if len(path) > 1}
    if inner and all(_part(name) for name in inner):
        return any(len(path) > 2 for path in paths)  # wrap/train/cat, but not cat/train
    if _part(next(iter(outer))):
        return False
    return len(inner) > 1 or (len(inner) == 1 and all(len(path) > 1 for path in paths))


def _has_part_folders(files: Iterable[SourceFile], depth: int) -> bool:
    return any(len(file.folders) > depth + 1 and _part(file.folders[depth]) != "" for file in files)


def _part(folder: str) -> Part:
    return _PARTS.get(folder.lower(), "")


def _label(folders: tuple[str, ...], *, has_parts: bool) -> tuple[str, Part]:
    """(class name, part); the class name is "" if the folders do not say one."""
    if not folders:
        return "", ""
    if has_parts and _part(folders[0]):
        return (folders[1], _part(folders[0])) if len(folders) > 1 else ("", "")
    return folders[0], _part(folders[1]) if len(folders) > 1 else ""


def _check_name_lengths(placed: Iterable[PlacedFile]) -> None:
    for name in {file.class_name for file in placed}:
        if len(name) > CLASS_NAME_CHARACTERS:
            raise DataError(
                counted_message(
                    'The class name "{name}..." has {count} character; the limit is {limit}.',
                    'The class name "{name}..." has {count} characters; the limit is {limit}.',
                    count=len(name),
                    name=name[:30],
                    limit=CLASS_NAME_CHARACTERS,
                ),
                hint=message("Give its folder a shorter name."),
            )


def _merge_like_names(placed: list[PlacedFile]) -> tuple[list[PlacedFile], list[Finding]]:
    """`Cat` and `cat` as one class, called what most of its pictures call it."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for file in placed:
        spellings[same_class_key(file.class_name)][file.class_name] += 1
    names = {
        key: min(counter, key=lambda name: (-counter[name], name))
        for key, counter in spellings.items()
    }
    findings = [
        Finding(
            "merged_names",
            message(
                '{spellings} were taken as one class, "{name}". '
                "Rename a folder if they are different classes.",
                spellings=some_quoted(sorted(counter)),
                name=names[key],
            ),
            (names[key],),
            len(counter),
        )
        for key, counter in spellings.items()
        if len(counter) > 1
    ]
    merged = [
        replace(file, class_name=names[same_class_key(file.class_name)].strip() or "class")
        for file in placed
    ]
    return merged, findings


def _nested_finding(placed: Iterable[PlacedFile], class_depth: int) -> list[Finding]:
    """Folders inside class folders, which are no classes of their own."""
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for placed_file in placed:
        folders = placed_file.file.folders
        if not is_named_as_picture(placed_file.file.name) or len(folders) <= class_depth:
            continue
        if not _part(folders[class_depth]):
            inside[placed_file.class_name].add(folders[class_depth])
    several = {name: found for name, found in inside.items() if len(found) > 1}
    if not several:
        return []
    name, found = min(several.items())
    return [
        Finding(
            "nested_folders",
            message(
                'Folders inside a class folder belong to that class: "{name}" holds '
                "{folders}. Import the inner folder if those are your classes.",
                name=name,
                folders=some_quoted(sorted(found)),
            ),
            tuple(sorted(several)),
            sum(len(names) for names in several.values()),
        )
    ]
