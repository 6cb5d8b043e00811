"""The sections of `benchmarks.query_understanding`, one module each."""
