"""Is a synthetic table good enough for a purpose: limits on records, each judged by the end of its
interval that speaks against the table. Takes what `evaluate` and `audit` wrote; knows no model."""
