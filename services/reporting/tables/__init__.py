"""Answers as tables: which columns a list has, and files that hold them."""
