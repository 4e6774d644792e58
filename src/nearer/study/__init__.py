"""A study folder in, a plan folder out: the whole chain on one screen."""
