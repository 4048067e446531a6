"""Work that is done outside a request, written in the transaction that caused it."""
