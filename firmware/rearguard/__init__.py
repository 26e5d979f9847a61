"""Rearguard: a belt that watches the back of a person who walks backward."""

__version__ = "0.1.0"
