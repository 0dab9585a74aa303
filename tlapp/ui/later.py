"""Words of what is built once for everybody, put into a language when the page is served."""

from tlapp.messages import ENGLISH, Message, words


def later(said: Message) -> str:
    """What stands for a message where a component is built."""
    return str(said)


def later_forms(said: Message) -> dict[str, str]:
    """The same for a counted message whose number a script knows: its templates by the plural
    category of the number, as `Intl.PluralRules` names them."""
    return words(ENGLISH).forms(said)
