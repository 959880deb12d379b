"""Reads observations of commitments from tables that others publish, and enters them into the record as events."""

from services.commitments.importing.report import Report
from services.commitments.importing.run import import_file

__all__ = ["Report", "import_file"]
