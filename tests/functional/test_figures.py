"""Staff follow an activity in figures, take them away as files, and have a closing report made of them."""

import csv
import html
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from pypdf.generic import ArrayObject

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Release, RoundDates
from lti_tool.evidence.models import ClosingReport
from lti_tool.evidence.rules.catalog import BY_KEY, FIGURES
from lti_tool.jobs.worker import Worker
from lti_tool.support import paper
from lti_tool.support.db import OpenSession
from lti_tool.wiring import Services
from tests.factories.feedback import a_classroom
from tests.factories.lived import live_through
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

NAMES = ("Mette", "Jonas", "Sara", "Omar", "Lena", "Tom")
FORMULA = "=HYPERLINK(1)"
"""A sentence of the survey, which designers word."""


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        groups = (NAMES[:3], NAMES[3:])
        rounds = tuple(RoundDates(due_at=clock.now() + timedelta(days=days)) for days in (7, 14))
        room = a_classroom(
            session,
            *NAMES,
            now=clock.now(),
            groups=groups,
            rounds=rounds,
            release=Release.AT_ONCE,
            survey=(FORMULA,),
        )
    return World(open_session, clock, client, room)


@pytest.fixture
def lived(world: World) -> World:
    """Round 1 is over, and everybody but Tom did what it asks."""
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        live_through(session, activity, since=world.clock.now() - timedelta(days=7))
    world.clock.advance(timedelta(days=9))
    return world


def section(page: str, key: str) -> str:
    """The part of the page with one figure."""
    return page.split(f'<h2 id="{key}">')[1].split("</section>", maxsplit=1)[0]


def numbers(page: str, key: str) -> list[str]:
    cells = re.findall(r"<td data-label=.*?>(.*?)</td>", section(page, key), re.DOTALL)
    return [re.sub(r"<.*?>", "", cell).strip() for cell in cells]


def test_every_figure_is_there_and_its_numbers_lead_to_people(lived: World) -> None:
    staff = lived.browser("Ingrid", role="instructor")
    page = staff.get("/figures").text
    for figure in FIGURES:
        assert numbers(page, figure.key), figure.key
    links = {html.unescape(link) for link in re.findall(r'href="/v/[^/]+(/figures/[^"]+)"', page)}
    counts = {}
    for link in links:
        answer = staff.get(link)
        assert answer.status_code == 200, link
        listed = re.findall(r'name="who"', answer.text)
        assert listed, link
        counts[link] = len(listed)
    for key in ("places", "steps", "stuck", "served", "seats"):
        # In these, what is counted are people.
        for number, link in re.findall(r'href="/v/[^/]+(/figures/[^"]+)">([^<]+)</a>', section(page, key)):
            assert counts[html.unescape(number)] == int(link), number
    assert "Tom" in staff.get("/figures/stuck?row=3&column=overdue").text
    assert "since" in staff.get("/figures/stuck?row=3&column=overdue").text


def test_figures_say_nothing_of_what_somebody_thinks(lived: World) -> None:
    staff = lived.browser("Ingrid", role="instructor")
    page = staff.get("/figures").text
    assert numbers(page, "usefulness") == ["50%", "4", "50%", "4"]
    assert "What each of them said is not shown." in staff.get("/figures/usefulness?row=1&column=people").text
    assert "column=useful" not in page
    assert re.findall(r"<a href", section(page, "survey")) == []
    told = staff.get("/figures/goals?row=half&column=goals").text
    assert "only its owner and their partner see" in told
    assert {name for name in NAMES if f">{name}<" in told} == set(NAMES) - {"Omar"}
    assert {name for name in NAMES if f">{name}<" in staff.get("/figures/goals?row=reached&column=goals").text} == {
        "Omar"
    }


def test_before_anything_happened_the_page_says_what_will_stand_there(world: World) -> None:
    page = world.browser("Ingrid", role="instructor").get("/figures").text
    for key in ("meetings", "delays", "usefulness", "served", "fairness", "actions", "goals", "stuck"):
        assert html.escape(BY_KEY[key].empty, quote=False) in section(page, key)
    assert set(numbers(page, "survey")) == {"too few people"}


def test_who_may_see_and_take_away_figures(lived: World) -> None:
    assistant = lived.browser("Ingrid", role="assistant")
    page = assistant.get("/figures").text
    assert "Download" not in page
    assert "PDF" not in assistant.get("/closing-report").text
    for path in ("/figures/export", "/figures/steps/file", "/closing-report/pdf"):
        assert assistant.post(path).status_code == 403
        assert lived.browser("Mette").post(path).status_code == 403
    for path in ("/figures", "/figures/steps?row=1-meet&column=done", "/closing-report"):
        assert lived.browser("Mette").get(path).status_code == 403


@pytest.mark.parametrize("path", ["/figures/nothing", "/figures/steps", "/figures/stuck?row=3&column=nothing"])
def test_a_number_that_is_not_there_any_more_is_said_kindly(lived: World, path: str) -> None:
    answer = lived.browser("Ingrid", role="instructor").get(path)
    assert answer.status_code == 404
    assert "This figure has changed" in answer.text


def test_a_figure_as_a_table(lived: World) -> None:
    staff = lived.browser("Ingrid", role="instructor")
    answer = staff.post("/figures/survey/file")
    assert answer.mimetype == "text/csv"
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert lines[0] == ["Sentence", "Before", "After", "Difference", "Spread", "People"]
    assert lines[-1] == [f"'{FORMULA}", "2.5", "4", "1.5", "0.548", "6"]
    assert staff.post("/figures/nothing/file").status_code == 404


def test_all_figures_with_their_dictionary(lived: World) -> None:
    staff = lived.browser("Ingrid", role="instructor")
    with zipfile.ZipFile(io.BytesIO(staff.post("/figures/export", form="csv").data)) as archive:
        assert archive.namelist() == [f"{key}.csv" for key in ("dictionary", *BY_KEY)]
        dictionary = archive.read("dictionary.csv").decode("utf-8-sig")
        every = "".join(archive.read(name).decode("utf-8-sig") for name in archive.namelist())
    for figure in FIGURES:
        for column in (*figure.heads, *figure.columns):
            assert column.says in dictionary
    assert not [name for name in NAMES if name in every]
    assert staff.post("/figures/export", form="doc").status_code == 404


def test_a_workbook_runs_nothing(lived: World) -> None:
    answer = lived.browser("Ingrid", role="instructor").post("/figures/export", form="xlsx")
    assert "figures.xlsx" in answer.headers["Content-Disposition"]
    names, texts, formulas = [], [], 0
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        for part in archive.namelist():
            tree = ElementTree.fromstring(archive.read(part)) if part.endswith(".xml") else ElementTree.Element("x")
            names += [each.get("name") for each in tree.iter() if each.tag.endswith("}sheet")]
            texts += [each.text for each in tree.iter() if each.tag.endswith("}t")]
            formulas += sum(each.tag.endswith(("}f", "}hyperlink")) for each in tree.iter())
    assert FORMULA in texts
    assert formulas == 0
    assert (len(names), names[0], names[1]) == (len(FIGURES) + 1, "1 Dictionary", "2 Where people stand")


def pictures_in(node: Any) -> Iterator[Any]:
    """The pictures of a tagged PDF."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from pictures_in(child)
    elif isinstance(node, dict):
        if node.get("/S") == "/Figure":
            yield node
        yield from pictures_in(node.get("/K", ArrayObject()))


class TestTheClosingReport:
    """A page that prints, and a PDF that is made in a job and kept for a while."""

    def works(self, services: Services) -> None:
        Worker(services.kit, services.handlers).run_until_idle()

    def pdf(self, staff: Browser) -> str:
        answer = staff.post("/closing-report/pdf", do="download")
        assert answer.mimetype == "application/pdf", answer.text[:500]
        reader = PdfReader(io.BytesIO(answer.data))
        assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
        return "\n".join(page.extract_text() for page in reader.pages)

    def test_the_page_and_the_pdf_say_the_same_and_name_nobody(self, lived: World, services: Services) -> None:
        staff = lived.browser("Ingrid", role="instructor")
        page = staff.get("/closing-report").text
        assert 'href="/v/' not in page.split("<dl")[1]
        assert "being made" in staff.post("/closing-report/pdf").text
        self.works(services)
        assert "A PDF was made" in staff.get("/closing-report").text
        text = " ".join(self.pdf(staff).split())
        for figure in FIGURES:
            assert figure.title in html.unescape(page)
            assert figure.title in text
        assert not [name for name in NAMES if name in text or name in page]

    def test_pictures_in_the_pdf_say_what_they_show(self, lived: World, services: Services) -> None:
        staff = lived.browser("Ingrid", role="instructor")
        staff.post("/closing-report/pdf")
        self.works(services)
        reader = PdfReader(io.BytesIO(staff.post("/closing-report/pdf", do="download").data))
        pictures = list(pictures_in(reader.trailer["/Root"]["/StructTreeRoot"]))
        assert len(pictures) > len(FIGURES)
        assert [each for each in pictures if not each.get("/Alt")] == []

    def test_it_is_made_anew_in_the_place_of_the_one_before_and_kept_for_a_while(
        self, lived: World, services: Services
    ) -> None:
        staff = lived.browser("Ingrid", role="instructor")
        for _ in range(2):
            staff.post("/closing-report/pdf")
            self.works(services)
        with lived.open_session(lived.room.institution.id) as session:
            assert session.query(ClosingReport).count() == 1
        lived.clock.advance(timedelta(days=31))
        services.handlers["jobs.purge"](services.kit, None)
        assert "A PDF was made" not in lived.browser("Ingrid", role="instructor").get("/closing-report").text

    def test_a_server_that_makes_no_pdfs_says_so(self, lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paper, "_weasyprint", lambda: None)
        staff = lived.browser("Ingrid", role="instructor")
        page = staff.get("/closing-report").text
        assert "This server does not make PDFs." in page
        assert "Make a PDF" not in page
        assert "This server does not make PDFs." in staff.post("/closing-report/pdf").text
        assert staff.post("/closing-report/pdf", do="download").mimetype == "text/html"
