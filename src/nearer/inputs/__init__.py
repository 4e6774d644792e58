"""Files in, checked tables out; every fault of a file is reported at once."""
