"""The parts of the page: each builds its components and holds their handlers."""
