"""Contract tests that every solver passes."""
