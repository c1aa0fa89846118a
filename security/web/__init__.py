"""The doors for staff: where they stand, how they get about, and the pages of merchants, people and rights."""
