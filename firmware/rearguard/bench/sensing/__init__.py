"""What each part reads in the world, and how it gets onto wires."""
