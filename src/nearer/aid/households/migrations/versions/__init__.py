"""Each step in a file of its own."""
