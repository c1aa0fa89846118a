"""Offers: what a merchant takes off a price, for whom, when, how often, and why."""
