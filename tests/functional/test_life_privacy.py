"""After a whole journey: nobody in the logs, and in the database each fact only where it belongs."""

import io
import re
from datetime import timedelta

from sqlalchemy import text

from lti_tool.support.db import Base
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.living import Life, a_life

ONE, TWO = "learner01", "learner02"
WRITTEN = "Distinctly Written Words"


def dump(life: Life) -> dict[str, str]:
    """Each table's rows as one text."""
    with life.services.kit.open_session() as session:
        connection = session.connection()
        return {
            table.name: "\n".join(map(repr, connection.execute(text(f'SELECT * FROM "{table.name}"')).all()))
            for table in Base.metadata.sorted_tables
        }


def where(tables: dict[str, str], needle: str) -> set[str]:
    return {name for name, rows in tables.items() if needle in rows}


def test_a_whole_journey_leaves_nobody_in_the_logs(services: Services, clock: FakeClock, logged: io.StringIO) -> None:
    with a_life(services, clock, learners=2) as life:
        life.publish(life.set_up())
        life.gives(ONE, TWO, strengths=WRITTEN)
        life.gives(TWO, ONE)
        life.lms.faults.scores(500, times=2, body=f"{life.person(ONE).email} failed")
        life.lms.faults.scores(400, times=1, body=f"Incorrect score received {life.person(TWO).name}")
        life.answers(ONE, TWO)
        life.answers(TWO, ONE)
        life.run()
        life.lms.faults.roster(500, times=1)
        life.clock.advance(timedelta(hours=13))
        designer = life.launch("designer")
        designer.send("/progress/export")
        designer.get("/progress?q=Öberg")
        life.launch(ONE).send(life.writing(ONE, TWO), strengths=WRITTEN * 5000)
        life.try_launch(ONE)[0].launch({"id_token": "e30.e30.x", "state": "nothing"})
        life.run_for(timedelta(minutes=10))
        lines = logged.getvalue()
        assert lines.strip(), "nothing was logged, so nothing was shown"
        people = [life.person(name) for name in (ONE, TWO, "designer")]
        tables = dump(life)

    for person in people:
        for secret in (person.name, person.given_name, person.family_name, person.email):
            assert secret not in lines
            assert where(tables, secret) <= {"person"}, secret
    assert WRITTEN not in lines
    assert "I heard it." not in lines
    assert not re.search(r"eyJ[\w-]{10,}\.", lines)
    assert "Bearer" not in lines
    assert where(tables, WRITTEN) == {"entry", "kept_text"}
    assert where(tables, "I heard it.") == {"entry"}


def test_no_secret_is_kept_as_it_travels(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.publish(life.set_up())
        guest = life.launch(ONE)
        life.completes(ONE, TWO)
        cookie = guest.browser.client.get_cookie(f"__Host-tandem-{guest.key}")
        assert cookie is not None
        tables = dump(life)
        bearer = next(iter(life.lms.access_tokens))
        assert where(tables, cookie.value) == set()
        assert where(tables, bearer) == set()
        assert not any("PRIVATE KEY" in rows for rows in tables.values())
        assert where(tables, "eyJ") == set()
