"""What each command does; `tlapp.__main__` says what can be typed."""
