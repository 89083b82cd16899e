"""Columns to encoded rows and back."""
