"""Reads bodies and meetings from files that others write, and enters them into the record as events."""
