"""Tabular VAEs, composed from parts."""
