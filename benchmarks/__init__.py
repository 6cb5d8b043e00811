"""One script per published claim; each prints one JSON object as its last line."""
