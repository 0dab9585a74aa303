"""Start tlapp: `python app.py`, then open the address it prints; `--help` lists options."""

import sys

from tlapp.__main__ import run_program

if __name__ == "__main__":
    run_program(["serve", *sys.argv[1:]])
