"""Differential privacy: every contact with the rows is noised, paid for and written down."""
