"""``Instance`` in, ``Solution`` out: anytime, with a valid bound from the start."""
