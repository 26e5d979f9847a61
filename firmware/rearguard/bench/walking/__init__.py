"""One walk, at full speed or through the whole firmware, and what it came to."""
