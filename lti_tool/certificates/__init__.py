"""Certificates for completion: a page, a PDF, an address that anybody can check, and an Open Badge."""
