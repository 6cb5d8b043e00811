"""Fits to a shop's own data. Nothing that answers requests imports this."""
