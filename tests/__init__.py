"""The tests, in the same rooms as tlapp. `python -m tests` runs everything."""
