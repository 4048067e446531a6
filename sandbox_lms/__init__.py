"""A small LMS for the demo and the tests: an LTI 1.3 Advantage platform that behaves like the real ones."""

from sandbox_lms.people import Person, Role
from sandbox_lms.profiles import PROFILES
from sandbox_lms.records import Form, ResourceLink, ToolRegistration
from sandbox_lms.sandbox import SandboxLms

__all__ = ["PROFILES", "Form", "Person", "ResourceLink", "Role", "SandboxLms", "ToolRegistration"]
