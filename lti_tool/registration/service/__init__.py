"""Institutions, registrations and their deployments, invitations, our keys, and access tokens."""

from lti_tool.registration.service.registrations import (
    Registered,
    RegistrationState,
    approve_deployment,
    institution_named,
    reencrypt,
    refuse_deployment,
    register_from_file,
    registration_states,
    set_frame_origins,
)

__all__ = [
    "Registered",
    "RegistrationState",
    "approve_deployment",
    "institution_named",
    "reencrypt",
    "refuse_deployment",
    "register_from_file",
    "registration_states",
    "set_frame_origins",
]
