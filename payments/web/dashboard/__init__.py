"""Pages of staff about payments: one file a page."""
