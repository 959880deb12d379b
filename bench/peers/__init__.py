"""Appending to our log beside appending to the event stores of others, on the same server."""
