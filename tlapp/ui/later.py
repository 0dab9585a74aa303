"""Words of what is built once for everybody, put into a language when the page is served."""

from tlapp.messages import Message


def later(said: Message) -> str:
    """What stands for a message where a component is built."""
    return str(said)
