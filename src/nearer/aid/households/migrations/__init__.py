"""Steps from one form of the household database to the next."""
