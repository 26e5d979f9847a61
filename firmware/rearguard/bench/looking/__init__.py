"""A walk to look at, in a terminal or a browser."""
