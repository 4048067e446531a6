"""A page in a window of its own leads back to the course, and one inside the LMS looks like the LMS: light."""

import re
from collections.abc import Iterator

import pytest

from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.guests import PROOF
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

LIGHT, EITHER = ('<meta name="color-scheme" content="' + schemes + '">' for schemes in ("light", "light dark"))


@pytest.fixture(params=["moodle", "canvas"])
def life(services: Services, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Life]:
    with a_life(services, clock, request.param, learners=2) as life:
        yield life


def would_loop(page: str, life: Life) -> bool:
    return (
        re.search(rf'<a class="back [^>]*href="{re.escape(life.lms.url)}/return\?[^"]*" target="_top">', page)
        is not None
    )


def test_a_page_in_a_window_of_its_own_leads_back_to_the_course(life: Life) -> None:
    life.set_up()
    for person in ("learner01", "designer"):
        page = life.launch(person, opens_window=True).landing.text
        assert would_loop(page, life)
        assert "data-window" in page
        assert EITHER in page


def test_a_page_inside_the_lms_stays_light_whatever_the_computer_prefers(life: Life) -> None:
    life.set_up()
    page = life.launch("learner01").landing.text
    assert "data-window" not in page
    assert LIGHT in page


def test_a_page_that_was_opened_in_a_new_tab_leads_back_too(life: Life) -> None:
    life.set_up()
    inside = life.launch("designer")
    offered = re.search(r'href="([^"]*/go/[^"]+)"', inside.send("/new-tab").text)
    assert offered is not None
    tab = inside.browser.client.get(offered[1], base_url=BASE_URL, headers=PROOF, follow_redirects=True).text
    assert would_loop(tab, life)
    assert "data-window" in tab
