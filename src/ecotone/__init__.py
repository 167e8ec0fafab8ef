"""Ecotone: from the field's own files, across a border as agreed, to a defended report."""

__version__ = "0.1.0"
