"""A declared pipeline: what it is made of, which steps are due and why, and what was done. Knows no
step's work: steps come as functions."""
