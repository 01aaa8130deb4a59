"""Splitting a merged file of statements, beside PyMuPDF."""
