"""People and the relationship with them. Imports payments, security and the kernel; its rooms stand on those."""
