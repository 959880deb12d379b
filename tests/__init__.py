"""The tests: they mirror the source, and `support` holds what several of them need."""
