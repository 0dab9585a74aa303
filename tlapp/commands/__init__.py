"""What each command does; `tlapp.__main__` says what can be typed."""

EXIT_PROBLEM = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXIT_TERMINATED = 143  # 128 + SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM: whoever runs this machine asks the program to end."""


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """What a command that was cut short returns."""
    return EXIT_TERMINATED if isinstance(interrupt, Terminated) else EXIT_INTERRUPTED
