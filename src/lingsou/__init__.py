"""Lingsou (灵搜): self-hosted search, recommendation and advertising for online shops."""

__version__ = "0.1.0"
