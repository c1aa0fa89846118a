"""Reads all; changes the world only by calling a lower room's operation."""
