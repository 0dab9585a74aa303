"""Start tlapp: `python app.py`, then open the address it prints."""

import os

from tlapp.settings import read_settings

if __name__ == "__main__":
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported
    from tlapp.ui.shell import launch

    launch(read_settings(os.environ))
