"""What a press on the page does: plain functions of a visit and of what was filled in.

They know neither Gradio nor the panels that draw what they have changed (`tests/test_arrows.py`).
"""
