"""The parts of the page: each builds its components and draws them from a visit.

They do not know which event draws them; that is said in `tlapp.ui.table`.
"""
