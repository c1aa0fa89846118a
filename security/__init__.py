"""Who, on whose behalf, at what risk. Imports the kernel alone."""
