"""Python loads this at the start of every process that has this folder in PYTHONPATH."""

import os

from outside import OUTSIDE_LOG, start_guard

if OUTSIDE_LOG in os.environ:
    start_guard()
