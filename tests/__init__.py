"""The tests, in the same rooms as tlapp. `python -m tests` runs everything."""

import os

# Read when these libraries are imported, so it is said before anything else.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # gradio_client tells Hugging Face of itself
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # and Gradio its makers of every `Blocks`
