"""Tandem: peer coaching inside the course, as an LTI 1.3 tool."""

__version__ = "0.1.0"
