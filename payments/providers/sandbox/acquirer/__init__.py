"""The acquirer's own side: its test cards, its books, its faults, its notices and its server.

It plays another company's machine: it imports nothing of the platform but the form of a
signature, and keeps no card number and no CVC, only what it decided about them.
"""
