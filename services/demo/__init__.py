"""The demonstration: a small portfolio told through the public API, and the board that follows from it."""
