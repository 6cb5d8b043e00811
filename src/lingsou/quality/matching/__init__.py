"""Same product or not: candidates, features of pairs, a learned decision, clusters and merged records."""
