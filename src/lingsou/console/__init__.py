"""The web pages: a storefront that uses nothing but the public HTTP API."""
