"""Conditions on rows: a small language, and what it asks of the blocks of an encoded row."""
