"""`predict`: what a trained run says about pictures."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import load_classifier
from tlapp.commands import EXIT_PROBLEM
from tlapp.errors import reason_of
from tlapp.evaluation.test_pictures import TestAnswer, prepare_test_pictures
from tlapp.messages import Message, Words, joined, message, number
from tlapp.runs.folder import RunFolder
from tlapp.settings import LOCAL_LIMITS

SHOWN_CLASSES = 3


def predict_pictures(options: argparse.Namespace, home: Path, words: Words) -> int:
    """Print the ranked classes of each picture; 2 when one of them cannot be read.

    Raises RunError when the folder holds no trained run.
    """
    run = RunFolder(options.run_dir)
    run.record()
    classifier = load_classifier(run.model_path(), WeightsStore(home / "weights"))
    limits = replace(LOCAL_LIMITS, try_images=len(options.pictures))
    unreadable: dict[str, Message] = {}
    raw: list[tuple[str, bytes]] = []
    for name in options.pictures:
        try:
            raw.append((name, Path(name).read_bytes()))
        except OSError as error:
            raw.append((name, b""))
            unreadable[name] = message(
                "{name} cannot be opened: {reason}.", name=name, reason=reason_of(error)
            )
    results = prepare_test_pictures(raw, limits).answers(classifier)
    errors = [words.say(unreadable.get(result.name, result.error)) for result in results]
    for problem in filter(None, errors):
        print(problem, file=sys.stderr)
    if options.json:
        print(json.dumps([_as_json(*pair) for pair in zip(results, errors, strict=True)]))
    else:
        for result in results:
            if result.ranked:
                print(words.say(_as_message(result)))
    return EXIT_PROBLEM if any(errors) else 0


def _as_json(result: TestAnswer, error: str) -> dict[str, object]:
    classes = [{"name": item.name, "probability": item.probability} for item in result.ranked]
    answer: dict[str, object] = {"file": result.name, "classes": classes}
    return {**answer, "error": error} if error else answer


def _as_message(result: TestAnswer) -> Message:
    shown = (
        message("{name} {percent} %", name=each.name, percent=number(100 * each.probability, 1))
        for each in result.ranked[:SHOWN_CLASSES]
    )
    return message("{file}: {classes}", file=result.name, classes=joined(*shown, by=", "))
