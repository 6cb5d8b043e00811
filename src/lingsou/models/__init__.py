"""Numeric cores: arrays in, arrays out, nothing of the shop."""
