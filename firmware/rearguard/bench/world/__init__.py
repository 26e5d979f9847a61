"""What stands and moves, who walks, and what goes wrong: scenarios."""
