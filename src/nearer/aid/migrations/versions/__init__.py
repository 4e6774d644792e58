"""Steps from one form of the tables to the next; what has been released is never changed."""
