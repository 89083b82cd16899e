"""New rows from noisy counts alone: what is drawn here may be learnt without further cost."""
