"""What the API answers: values of the rooms, in the words of whoever asks."""

from tests.runs.examples import make_record
from tlapp.data.images import Finding
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.messages import ENGLISH, NOTHING, PSEUDO, message, words
from tlapp.runs.live import LiveRun
from tlapp.stored import plain
from tlapp.ui import present
from tlapp.workspace import Experiment

WHY, HINT = message("This training is not over yet."), message("Wait until it is over.")


def test_a_run_answers_with_sentences_in_the_language_of_the_request() -> None:
    live = LiveRun(record=make_record(state="failed", message=WHY, hint=HINT), phase="done")
    answer = present.run_json(live, words(ENGLISH))
    assert "owner" not in answer["record"]
    assert (answer["record"]["message"], answer["record"]["hint"]) == (str(WHY), str(HINT))
    assert answer["record"]["replaced_layer"] == ""
    assert present.run_json(live, words(PSEUDO))["record"]["message"] == words(PSEUDO).say(WHY)


def test_a_failed_experiment_answers_with_its_reason_and_the_next_step() -> None:
    failed = Experiment(
        experiment_id="e", kind="lr", state="failed", value=None, message=WHY, hint=HINT
    )
    assert present.experiment_json(failed, words(ENGLISH)) == {
        "state": "failed",
        "value": None,
        "message": str(WHY),
        "hint": str(HINT),
    }


def test_a_picture_that_cannot_be_read_answers_with_the_reason() -> None:
    broken = TestAnswer(name="a.jpg", thumbnail=b"", ranked=(), error=WHY)
    good = TestAnswer(name="b.jpg", thumbnail=b"", ranked=(), error=NOTHING)
    assert present.answers_json([broken, good], words(PSEUDO)) == [
        {"file": "a.jpg", "classes": [], "error": words(PSEUDO).say(WHY)},
        {"file": "b.jpg", "classes": []},
    ]


def test_messages_anywhere_in_a_value_are_put_into_words() -> None:
    finding = Finding(kind="few_pictures", message=WHY, class_names=("cat",), count=3)
    assert plain({"found": (finding,)}, words(ENGLISH).say) == {
        "found": [{"kind": "few_pictures", "message": str(WHY), "class_names": ["cat"], "count": 3}]
    }
