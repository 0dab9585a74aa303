"""The page's own components: ``gr.HTML`` with a script and rules beside it."""
