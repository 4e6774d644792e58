"""Compiled functions on plain arrays: serial, cached, releasing the GIL; threads run them over chunks."""
