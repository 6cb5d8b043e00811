"""Recommendation: sources of candidates, their blend, and the reasons."""
