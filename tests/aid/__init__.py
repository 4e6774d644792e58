"""The aid wing."""
