"""The neural sequence model: what a history of items asks for next."""
