"""Contract tests that every implementation of a protocol must pass, built in or plugged in."""
