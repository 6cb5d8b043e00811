"""The product catalogue: feeds in, products in the store, the change log out."""
