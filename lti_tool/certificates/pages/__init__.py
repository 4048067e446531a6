"""Pages of certificates: for their holder, for staff, and for anybody who has an address."""
