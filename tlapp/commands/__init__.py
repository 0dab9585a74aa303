"""What each command does; `tlapp.__main__` says what can be typed."""

from collections.abc import Mapping

from tlapp.messages import ENGLISH, languages

EXIT_PROBLEM = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXIT_TERMINATED = 143  # 128 + SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM: whoever runs this machine asks the program to end."""


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """What a command that was cut short returns."""
    return EXIT_TERMINATED if isinstance(interrupt, Terminated) else EXIT_INTERRUPTED


def language_of_environment(environment: Mapping[str, str]) -> str:
    """The language of a terminal: the first that the usual variables name and tlapp speaks; English
    where there is none.

    `LANGUAGE` may name several, separated by colons; any may say more, as `de_AT.UTF-8` does.
    https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html
    """
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for named in environment.get(variable, "").split(":"):
            place = named.partition(".")[0].partition("@")[0]
            for language in (place, place.partition("_")[0]):
                if language in languages():
                    return language
    return ENGLISH
