"""The sandbox acquirer: a card company of our own for test books, and our client of it.

`acquirer/` is the other company: a process apart, with a store apart, that knows nothing of
the platform and is reached by signed HTTP alone. `client.py` is our side of it.
"""
