"""The words that a script is given."""

from tlapp.messages import ENGLISH, PSEUDO, counted_message, message, words
from tlapp.ui.later import in_words
from tlapp.ui.widgets.values import words_to_json


def test_a_script_gets_words_forms_and_the_units_of_its_numbers() -> None:
    table = {
        "save": message("Save"),
        "pictures": counted_message("{count} picture", "{count} pictures"),
    }
    built = words_to_json(table)
    given = in_words(built, words(ENGLISH))
    assert given.keys() == {"save", "pictures", "numbers"}
    assert given["save"] == "Save"
    assert given["pictures"] == {"one": "{count} picture", "other": "{count} pictures"}
    assert in_words(built, words(PSEUDO))["save"] == "[Save ~~~~~]"
