"""Start tlapp: `python app.py`, then open the address it prints."""

from tlapp.__main__ import run_program

if __name__ == "__main__":
    run_program(["serve"])
