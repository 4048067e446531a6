"""What launches and rosters tell that helps to know people again, read without trust."""

import pytest

from lti_tool.launch.rules.context import read_context
from lti_tool.launch.rules.values import LTI
from lti_tool.roster.rules import merged, row_of

CLAIMS: dict[str, object] = {
    "sub": "1",
    f"{LTI}message_type": "LtiResourceLinkRequest",
    f"{LTI}version": "1.3.0",
    f"{LTI}deployment_id": "1",
    f"{LTI}target_link_uri": "https://tool.example/lti/launch",
    f"{LTI}roles": [],
    f"{LTI}resource_link": {"id": "1"},
}


def test_only_custom_parameters_that_name_us_are_taken() -> None:
    custom = {
        "tandem_department": "  Sales\x00 ",
        "tandem_group": "$Moodle.Person.userGroupIds",
        "tandem_cohort": None,
        "tandem_manager": "",
        "tandem_experience": 3,
        "tandem_": "x",
        "TANDEM_LANGUAGES": "en",
        "department": "IT",
    }

    context = read_context({**CLAIMS, f"{LTI}custom": custom})

    assert context.about == {"department": "Sales"}
    assert context.custom == {}
    assert "Sales" not in repr(context)


@pytest.mark.parametrize(
    ("lis", "sourced_id"),
    [
        ({"person_sourcedid": "hr-17"}, "hr-17"),
        ({"person_sourcedid": "$Person.sourcedId"}, None),
        ({"person_sourcedid": ""}, None),
        ({"person_sourcedid": 17}, None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_the_id_of_the_records_is_a_convenience_that_refuses_no_launch(lis: object, sourced_id: str | None) -> None:
    assert read_context({**CLAIMS, f"{LTI}lis": lis}).person.sourced_id == sourced_id


def test_a_roster_tells_the_id_of_the_records_too() -> None:
    rows = [
        row_of({"user_id": "1", "roles": ["Learner"], **told}, names_are_escaped=False)
        for told in ({}, {"lis_person_sourcedid": " hr-17 "}, {"lis_person_sourcedid": 17})
    ]

    assert [row.sourced_id for row in rows if row is not None] == [None, "hr-17", None]
    assert merged([row for row in rows if row is not None])["1"].sourced_id == "hr-17"
