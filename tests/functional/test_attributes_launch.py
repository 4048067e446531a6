"""What an institution lets its LMS tell of learners arrives with their launches, and is erased with them."""

import io
import json
import zipfile

from sqlalchemy import select, text

from lti_tool.attributes import service
from lti_tool.attributes.models import MemberAttribute, Outsider
from lti_tool.attributes.service import reading
from lti_tool.launch.models import Person
from lti_tool.support.db import Base
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from tests.fakes.clock import FakeClock
from tests.functional.living import Life, a_life

TOLD = {
    "tandem_department": "Department of Very Particular Affairs",
    "tandem_languages": "English, svenska",
    "tandem_manager": "particular.boss@example.org",
    "tandem_time_zone": "$Person.address.timezone",
    "tandem_group": "$Moodle.Person.userGroupIds",
    "tandem_experience": "$CourseSection.title",
    "department": "Nobody asked for this",
}


def where(life: Life, needle: str) -> set[str]:
    """The tables that hold this text."""
    with life.services.kit.open_session() as session:
        connection = session.connection()
        return {
            table.name
            for table in Base.metadata.sorted_tables
            if needle in repr(connection.execute(text(f'SELECT * FROM "{table.name}"')).all())
        }


def test_a_launch_tells_only_what_was_agreed_and_only_where_it_belongs(
    services: Services, clock: FakeClock, logged: io.StringIO
) -> None:
    with a_life(services, clock, learners=2) as life:
        life.set_up()
        life.link.custom.update(TOLD)
        life.launch("learner01")
        life.run()
        designer = life.launch("designer")
        page = designer.get("/people").text
        designer.get("/people/upload/nothing")
        learner, staff = life.member("learner01"), life.member("designer")
        with life.look() as session:
            known = {
                key: one.value for key, one in reading.values_of_members(session, [learner.id])[learner.id].items()
            }
            assert reading.values_of_members(session, [staff.id])[staff.id] == {}
            sourced_id = session.get_one(Person, learner.person_id).sourced_id
        department = where(life, "Very Particular Affairs")
        boss = where(life, "particular.boss")
        nobody_asked = where(life, "Nobody asked for this")
        lines = logged.getvalue()

    assert sourced_id is not None
    assert sourced_id.startswith("sis-")
    assert set(known) == {"department", "languages", "manager"}
    assert known["languages"] == {"names": ["en", "sv"]}
    assert "outsider" in known["manager"]
    assert "Very Particular Affairs" in page
    assert department == {"member_attribute"}
    assert boss == {"outsider"}
    assert nobody_asked == set()
    assert lines.strip()
    assert "Particular" not in lines
    assert "particular" not in lines


def test_it_is_handed_over_and_erased_with_the_person(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.set_up()
        life.link.custom.update(TOLD)
        life.launch("learner01")
        member = life.member("learner01")
        with services.kit.open_session(life.institution_id) as session:
            service.answer(session, member.id, {"needs": {"names": ["Patience"]}}, now=clock.now())
            everything = personal_data.everything_about(session, member.person_id)
        with life.app.test_request_context():
            packed = zipfile.ZipFile(io.BytesIO(personal_data.as_zip(everything, now=clock.now())))
        told = {one["attribute"]: one["value"] for one in json.loads(packed.read("data.json"))["attributes"]}
        assert told["department"] == TOLD["tandem_department"]
        assert told["manager"] == "particular.boss@example.org"
        assert told["needs"] == "Patience"
        assert "Patience" in packed.read("index.html").decode()
        with services.kit.open_session(life.institution_id) as session:
            personal_data.erase(session, member.person_id, now=clock.now())
        with life.look() as session:
            assert session.scalars(select(MemberAttribute)).all() == []
            assert session.get_one(Person, member.person_id).sourced_id is None
            assert session.scalars(select(Outsider)).all() == []
