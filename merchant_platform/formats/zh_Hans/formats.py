"""Chinese: money and counts are grouped by thousands, as on receipts and statements."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
