"""Jobs: work outside a request, written in the transaction that caused it."""
