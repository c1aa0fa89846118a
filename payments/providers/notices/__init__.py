"""Notices of outside providers: verified, kept as they came, acknowledged; applied later, by the gate of intents."""
