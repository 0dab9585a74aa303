"""The Gradio page: thin, reads all rooms, and no room reads it."""
