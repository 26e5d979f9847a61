"""One file for each measurement; each has `rows()`, which measures and returns rows of the table."""
