"""The pages of staff about payments, customers and products."""
