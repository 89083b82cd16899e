"""A report on synthetic rows: what may be shown of real ones, plots, page, Markdown. Takes frames,
records and JSON; imports no torch (docs/report.md)."""
