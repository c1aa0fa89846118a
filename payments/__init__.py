"""Value and its movement. Imports security and the kernel."""
