"""Attributes of products: read from their texts, completed from their like, written one way."""
