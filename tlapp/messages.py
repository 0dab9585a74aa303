"""What tlapp says to people: messages, made where a fact is known and put into words at the edge.

A `Message` is an English template, which is its id in the catalogues, with named values; nothing of
it is a sentence of one language until `Words.say` puts it into one. The catalogue of English ids is
`locale/tlapp.pot`; `locale/<language>/LC_MESSAGES/tlapp.po` is a translation of it. The language
`xx` is no language: it brackets and lengthens every text of the catalogue, so that a test sees what
was forgotten and what is cut off.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Union, cast, get_args

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

LOCALE_FOLDER = Path(__file__).parent / "locale"
CATALOGUE = LOCALE_FOLDER / "tlapp.pot"
ENGLISH, PSEUDO = "en", "xx"

MOST_KEPT = 10_000  # texts of a language, the latest: pages say the same again and again

_NAME = re.compile(r"\{(\w+)\}")

Unit = Literal["number", "signed", "significant", "percent", "duration", "size"]
Value = Union[str, int, "Quantity", "Message"]  # a text is a person's own, or a proper name
Say = Callable[["Message"], str]  # `Words.say`; `later`, where a component is built


@dataclass(frozen=True)
class Quantity:
    """A measured value, written as each language writes it."""

    unit: Unit  # of the value: a number, a share of 0 to 1, seconds, bytes
    value: float
    digits: int = 0  # after the decimal point; all that count, if only the significant ones do


@dataclass(frozen=True)
class Message:
    """An English template with named values: `{count} pictures`; its text is what says it in
    English. An empty one says nothing, and is false."""

    template: str
    values: tuple[tuple[str, Value], ...] = ()
    plural: str = ""  # the template for other numbers than one of the value `count`

    def __bool__(self) -> bool:
        return self.template != ""

    def __str__(self) -> str:
        return words(ENGLISH).say(self)

    @property
    def is_for_scripts(self) -> bool:
        """Whether it is counted, and the number is still to come."""
        return self.plural != "" and "count" not in dict(self.values)

    def value(self, name: str) -> Value:
        """The value of this name. Raises KeyError."""
        return dict(self.values)[name]

    def to_json(self) -> object:
        """What a file keeps of it: the id and the values, never a sentence."""
        plural = {"plural": self.plural} if self.plural else {}
        values = {name: _value_to_json(value) for name, value in self.values}
        return {"id": self.template, **plural, **({"values": values} if values else {})}

    @classmethod
    def from_json(cls, kept: object) -> "Message":
        """What `to_json` gave; a sentence that an earlier version kept stays as it is.

        Raises ValueError for anything else.
        """
        if isinstance(kept, str):
            return verbatim(kept)
        if not isinstance(kept, Mapping) or not isinstance(kept.get("id"), str):
            raise ValueError("no message")
        values, plural = kept.get("values", {}), kept.get("plural", "")
        if not isinstance(values, Mapping) or not isinstance(plural, str):
            raise ValueError("no message")
        made = tuple((str(name), _value_from_json(each)) for name, each in values.items())
        return cls(kept["id"], made, plural)


NOTHING = Message("")


def message(template: str, /, **values: Value) -> Message:
    """What `template` says with these values. Its templates are collected for the catalogue, so
    write them out where this is called."""
    return Message(template, tuple(values.items()))


def counted_message(
    singular: str, plural: str, /, *, count: int | None = None, **values: Value
) -> Message:
    """The same where a number, `{count}`, decides about the form; without it, a script of the page
    chooses among the forms."""
    counted = () if count is None else (("count", count),)
    return Message(singular, (*counted, *values.items()), plural)


def verbatim(text: str) -> Message:
    """A text that is no language's: what a person or another program has written."""
    return Message("{text}", (("text", text),)) if text else NOTHING


def joined(*parts: Message, by: str = " ") -> Message:
    """One after the other, less those that say nothing."""
    said = [part for part in parts if part]
    if len(said) < 2:
        return said[0] if said else NOTHING
    template = by.join(f"{{part{number}}}" for number in range(len(said)))
    return Message(template, tuple((f"part{number}", part) for number, part in enumerate(said)))


def number(value: float, digits: int = 0) -> Quantity:
    """A number with so many digits after the decimal point: "0.25"."""
    return Quantity("number", value, digits)


def signed(value: float, digits: int = 0) -> Quantity:
    """The same with its sign: "+2.1", "-0.8"."""
    return Quantity("signed", value, digits)


def significant(value: float, digits: int = 6) -> Quantity:
    """A number, learning rates above all, with so many digits that count: "0.002", "5e-5"."""
    return Quantity("significant", value, digits)


def alone(value: Value) -> Message:
    """A value with no words around it."""
    return Message("{value}", (("value", value),))


def percent(share: float, digits: int = 0) -> Quantity:
    """A share of 0 to 1 in percent: "84 %", which no line break parts."""
    return Quantity("percent", share, digits)


def duration(seconds: float) -> Quantity:
    """Wall time for people: "under 1 s", "12 s", "1 min 40 s", "3 min", "2.5 h"."""
    return Quantity("duration", seconds)


def size(number_of_bytes: float) -> Quantity:
    """A size for people: "0 MB", "45 MB", "1.0 GB"; a little is 1 MB, so that it is not nothing."""
    return Quantity("size", number_of_bytes)


@dataclass(frozen=True, eq=False)
class Words:
    """Puts messages into the words of one language. Made by `words`."""

    language: str

    def say(self, said: Message) -> str:
        """The text of a message."""
        return self._said(said) if said else ""

    @cached_property
    def _said(self) -> Callable[[Message], str]:
        return lru_cache(MOST_KEPT)(self._translated)

    def _translated(self, said: Message) -> str:
        values = dict(said.values)
        count = values.get("count")
        template = (
            self._translations.ngettext(said.template, said.plural, count)
            if said.plural and isinstance(count, int)
            else self._translations.gettext(said.template)
        )
        return self._filled(template, values)

    def forms(self, said: Message) -> dict[str, str]:
        """What a counted message says, with `{count}` left open, by the plural category of the
        number ("one", "other"), as the browser's `Intl.PluralRules` names them."""
        rule = self._locale.plural_form
        numbers = {str(rule(count)): count for count in reversed(range(1_000))}
        known = {name: value for name, value in said.values if name != "count"}
        return {
            category: self._filled(
                self._translations.ngettext(said.template, said.plural, count), known
            )
            for category, count in numbers.items()
        }

    def number(self, value: float, digits: int = 0, *, is_signed: bool = False) -> str:
        """A number as the language writes it: "1,200", "0.25"; with its sign: "+2.1"."""
        if not isfinite(value):
            return str(value)
        # Babel rounds what is printed of a number, `round` the number itself, as an f-string does.
        pattern = _number_pattern(digits, is_signed=is_signed)
        return pattern.apply(round(value, digits), self._locale)

    def _filled(self, template: str, values: Mapping[str, Value]) -> str:
        """The template with its values; what has none stays, for a script of the page."""

        def text_of(found: re.Match[str]) -> str:
            return self._value(values[found[1]]) if found[1] in values else found[0]

        return _NAME.sub(text_of, template)

    def _value(self, value: Value) -> str:
        if isinstance(value, Message):
            return self.say(value)
        if isinstance(value, Quantity):
            return self._quantity(value)
        return value if isinstance(value, str) else self.number(value)

    def _quantity(self, quantity: Quantity) -> str:
        match quantity.unit:
            case "percent":
                share = self.number(quantity.value * 100, quantity.digits)
                return self.say(message("{number}\u00a0%", number=share))
            case "duration":
                return self.say(_duration(quantity.value))
            case "size":
                return self.say(_size(quantity.value))
            case "number":
                return self.number(quantity.value, quantity.digits)
            case "signed":
                return self.number(quantity.value, quantity.digits, is_signed=True)
            case "significant":
                return self._significant(quantity.value, quantity.digits)

    def _significant(self, value: float, digits: int) -> str:
        from babel.numbers import get_decimal_symbol  # as in `_number_pattern`

        plain = f"{value:.{digits}g}".replace("e-0", "e-")
        return plain.replace(".", get_decimal_symbol(self._locale))

    @cached_property
    def _locale(self) -> "Locale":
        from babel import Locale  # as in `_number_pattern`

        return Locale.parse(ENGLISH if self.language == PSEUDO else self.language)

    @cached_property
    def _translations(self) -> NullTranslations:
        if self.language == ENGLISH:
            return NullTranslations()
        if self.language == PSEUDO:
            return _Pseudo(_catalogue_ids())
        return _read_translations(LOCALE_FOLDER / self.language / "LC_MESSAGES" / "tlapp.po")


@cache
def words(language: str) -> Words:
    """The words of one of the `languages`."""
    return Words(language)


@cache
def languages() -> tuple[str, ...]:
    """The languages that tlapp speaks: English, the translations, the pseudo-language."""
    translated = sorted(path.parts[-3] for path in LOCALE_FOLDER.glob("*/LC_MESSAGES/tlapp.po"))
    return (ENGLISH, *translated, PSEUDO)


def _duration(seconds: float) -> Message:
    if seconds < 1:
        return message("under 1 s")
    if seconds < 90:
        return message("{seconds} s", seconds=number(seconds))
    if seconds < 175 and seconds % 60 >= 10:
        tens = int(seconds % 60 // 10 * 10)
        return message("{minutes} min {seconds} s", minutes=int(seconds // 60), seconds=tens)
    if seconds < 90 * 60:
        minutes = seconds // 60 if seconds < 175 else seconds / 60
        return message("{minutes} min", minutes=number(minutes))
    return message("{hours} h", hours=number(seconds / 3600, 1))


def _size(number_of_bytes: float) -> Message:
    if number_of_bytes >= 1_000_000_000:
        return message("{gigabytes} GB", gigabytes=number(number_of_bytes / 1_000_000_000, 1))
    least = min(1, number_of_bytes)
    return message("{megabytes} MB", megabytes=number(max(least, round(number_of_bytes / 1e6))))


@cache
def _number_pattern(digits: int, *, is_signed: bool) -> "NumberPattern":
    from babel.numbers import parse_pattern  # not needed by whoever only imports tlapp

    plain = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return parse_pattern(f"+{plain};-{plain}" if is_signed else plain)


class _Pseudo(NullTranslations):
    """Every text of the catalogue in brackets and a third longer; any other text as it is."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self._known = known

    def gettext(self, message: str) -> str:
        return _bracketed(message) if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def _bracketed(text: str) -> str:
    longer = " ~~~~~" * (-(-len(_NAME.sub("", text)) // 18))  # six characters for each eighteen
    return f"[{text}{longer}]"


def _catalogue_ids() -> frozenset[str]:
    """All templates of the catalogue, plural ones too."""
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        entries = [entry.id for entry in read_po(file) if entry.id]
    forms = ([entry] if isinstance(entry, str) else entry for entry in entries)
    return frozenset(each for entry in forms for each in entry)


def _read_translations(path: Path) -> NullTranslations:
    """The translations of a catalogue, compiled in memory: no compiled file can be out of date."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _value_to_json(value: Value) -> object:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, Quantity):
        return {"unit": value.unit, "value": value.value, "digits": value.digits}
    return value


def _value_from_json(kept: object) -> Value:
    if isinstance(kept, str) or type(kept) is int:
        return cast(Value, kept)
    if isinstance(kept, Mapping) and "unit" in kept:
        unit, value, digits = kept["unit"], kept.get("value"), kept.get("digits", 0)
        is_known = unit in get_args(Unit) and type(digits) is int
        if is_known and isinstance(value, int | float):
            return Quantity(unit, float(value), digits)
        raise ValueError("no quantity")
    return Message.from_json(kept)
