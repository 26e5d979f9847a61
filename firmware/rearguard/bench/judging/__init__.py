"""Many walks, beside what one would use instead."""
