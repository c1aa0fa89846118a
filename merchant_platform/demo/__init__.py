"""A believable small world, seeded through the same ledger and the same pure functions as real payments."""
