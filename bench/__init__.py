"""Measurements of Bitácora against what one would write without its design; `make bench` runs them all."""
