"""`python -m lti_tool` is the same as the command `lti-tool`."""

from lti_tool.cli import main

main()
