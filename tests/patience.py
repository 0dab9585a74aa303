"""How long tests wait for what must happen: far longer than anything takes on a busy machine.

No test is about these figures. They are under pytest's own limit for a test (`timeout` in
pyproject.toml), so that a wait in vain ends with its own words.
"""

PATIENCE_SECONDS = 300.0
PATIENCE_MS = 300_000  # the same, as Playwright counts
STEP_MS = 120_000  # what the page shows by itself, without a training
