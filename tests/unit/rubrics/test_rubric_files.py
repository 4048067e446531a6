"""Rubrics in files: what is written comes back the same, and what is no rubric is refused in a word."""

import gzip
import io
import json
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lti_tool.rubrics.errors import RubricFileUnusable
from lti_tool.rubrics.rules import (
    Comment,
    CriterionDraft,
    LevelDraft,
    Options,
    Question,
    RubricDraft,
    check,
)
from lti_tool.rubrics.rules.drafts import WITH_OPTIONS
from lti_tool.rubrics.rules.files import Found, Note, Unusable, read_file, to_csv, to_json
from tests.factories.activities import observation_rubric
from tests.unit.rubrics.test_rubric_forms import every_type

LETTERS = some.one_of(
    some.sampled_from(["=1+1", "-5", "@a", "'=x", '="007"', "a;b", 'say "no"', "line\n=2", "ø,\n\nü", "1;=2"]),
    some.text(some.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20),
)
TEXTS = LETTERS.map(str.strip).filter(lambda text: bool(text) and "\r" not in text)


@some.composite
def criteria(draw: some.DrawFn, name: str) -> CriterionDraft:
    question = draw(some.sampled_from(Question))
    lines = draw(some.lists(TEXTS, min_size=2, max_size=4, unique_by=lambda text: " ".join(text.casefold().split())))
    levels = tuple(LevelDraft(line, draw(some.just("") | TEXTS), draw(some.integers(0, 1000))) for line in lines)
    options = Options()
    if question is Question.SCALE:
        options = Options((), 0, draw(some.integers(1, 10)), draw(some.just("") | TEXTS), draw(TEXTS))
    elif question in WITH_OPTIONS:
        options = Options(tuple(lines))
    return CriterionDraft(
        name,
        draw(some.just("") | TEXTS),
        levels if question is Question.LEVELS else (),
        question,
        options,
        draw(some.integers(0, 100)),
        draw(some.sampled_from(Comment)),
        draw(some.sampled_from(["", "coach"])),
        tuple(sorted(draw(some.sets(some.integers(1, 12), max_size=3)))),
    )


@some.composite
def rubrics(draw: some.DrawFn) -> RubricDraft:
    names = draw(some.lists(TEXTS, min_size=1, max_size=4))
    return RubricDraft(draw(some.just("") | TEXTS), tuple(draw(criteria(name)) for name in names))


@given(rubrics(), some.sampled_from([",", ";", "\t"]))
def test_a_rubric_that_is_written_and_read_again_is_the_same(draft: RubricDraft, delimiter: str) -> None:
    assert read_file(to_json(draft)) == Found(draft)
    assert read_file(to_csv(draft, delimiter)) == Found(draft)


def test_every_type_of_question_goes_into_both_files_and_comes_back() -> None:
    for draft in (every_type(), observation_rubric()):
        assert read_file(to_csv(draft)).draft == read_file(to_json(draft)).draft == draft


def test_no_cell_is_run_as_a_formula() -> None:
    draft = RubricDraft("=HYPERLINK(1)", (CriterionDraft("+1", "-2", (LevelDraft("@a"), LevelDraft("=b"))),))
    lines = to_csv(draft).decode("utf-8-sig").splitlines()
    assert not any(cell.strip('"').startswith(("=", "+", "-", "@")) for line in lines for cell in line.split(","))
    assert read_file(to_csv(draft)).draft == draft


def test_a_table_typed_by_hand_needs_few_columns() -> None:
    found = read_file("Criterion;Level;Points\nVoice;Quiet;0\n;Clear;2,5\nTime;Late;0\n;In time;1\n".encode("cp1252"))
    assert found.notes == (Note.ROUNDED,)
    assert found.draft == RubricDraft(
        "",
        (
            CriterionDraft("Voice", levels=(LevelDraft("Quiet", points=0), LevelDraft("Clear", points=3))),
            CriterionDraft("Time", levels=(LevelDraft("Late", points=0), LevelDraft("In time", points=1))),
        ),
    )


MOODLE = """<?xml version="1.0" encoding="UTF-8"?>
<areas><area id="5"><areaname>submissions</areaname><activemethod>rubric</activemethod><definitions>
<definition id="1"><method>rubric</method><name>Report</name><description>&lt;p&gt;x&lt;/p&gt;</description>
<plugin_gradingform_rubric_definition><criteria>
<criterion id="2"><sortorder>2</sortorder><description>Evidence</description><levels>
<level id="4"><score>5.00000</score><definition>Well cited</definition></level>
<level id="3"><score>0.00000</score><definition>None cited</definition></level></levels></criterion>
<criterion id="1"><sortorder>1</sortorder><description>Clarity</description><levels>
<level id="1"><score>0.00000</score><definition>&lt;p&gt;Hard to follow&lt;/p&gt;</definition></level>
<level id="2"><score>2.50000</score><definition>LONG</definition></level></levels></criterion>
</criteria></plugin_gradingform_rubric_definition></definition></definitions></area></areas>""".replace(
    "LONG", "z" * 90
)
OF_MOODLE = RubricDraft(
    "Report",
    (
        CriterionDraft("Clarity", levels=(LevelDraft("Hard to follow"), LevelDraft("3", "z" * 90, 3))),
        CriterionDraft("Evidence", levels=(LevelDraft("None cited"), LevelDraft("Well cited", "", 5))),
    ),
)


def backup(kind: str, text: str = MOODLE) -> bytes:
    name, packed = "activities/assign_3/grading.xml", io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as folder:
            folder.writestr(name, text)
            folder.writestr("activities/quiz_4/grading.xml", "<areas></areas>")
        return packed.getvalue()
    with tarfile.open(fileobj=packed, mode="w:gz") as folder:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        folder.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.parametrize("content", [MOODLE.encode(), backup("zip"), backup("gz")], ids=["xml", "zip", "mbz"])
def test_a_rubric_of_moodle_comes_from_its_backup(content: bytes) -> None:
    assert read_file(content) == Found(OF_MOODLE, (Note.ROUNDED,))


CANVAS_CSV = (
    "Rubric Name,Criteria Name,Criteria Description,Criteria Enable Range,"
    "Rating Name,Rating Description,Rating Points,Rating Name,Rating Description,Rating Points\n"
    'Essay,Clarity,"Is it, clear?",false,Excellent,Very clear,10,Weak,,2\n'
    "Essay,Sources,,false,Full,,5,None,,0\n"
)
CANVAS_JSON = json.dumps(
    {
        "id": 3,
        "title": "Essay",
        "points_possible": 15.0,
        "data": [
            {
                "id": "_1",
                "description": "Clarity",
                "long_description": "Is it, clear?",
                "points": 10.0,
                "ratings": [
                    {"id": "a", "description": "Excellent", "long_description": "Very clear", "points": 10.0},
                    {"id": "b", "description": "Weak", "long_description": "", "points": 2.0},
                ],
            },
            {
                "description": "Sources",
                "ratings": [{"description": "Full", "points": 5}, {"description": "None", "points": 0}],
            },
        ],
    }
)
OF_CANVAS = RubricDraft(
    "Essay",
    (
        CriterionDraft(
            "Clarity", "Is it, clear?", (LevelDraft("Weak", "", 2), LevelDraft("Excellent", "Very clear", 10))
        ),
        CriterionDraft("Sources", "", (LevelDraft("None", "", 0), LevelDraft("Full", "", 5))),
    ),
)


CANVAS_XML = """<?xml version="1.0" encoding="UTF-8"?>
<rubrics xmlns="http://canvas.instructure.com/xsd/cccv1p0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<rubric identifier="g1"><read_only>false</read_only><title>Essay</title><points_possible>15.0</points_possible>
<description>Of the first term</description><criteria>
<criterion><criterion_id>_1</criterion_id><points>10.0</points><description>Clarity</description>
<long_description>&lt;p&gt;Is it, clear?&lt;/p&gt;</long_description><ratings>
<rating><description>Excellent</description><points>10.0</points><criterion_id>_1</criterion_id>
<long_description>Very clear</long_description><id>a</id></rating>
<rating><description>Weak</description><points>2.0</points><criterion_id>_1</criterion_id><id>b</id></rating>
</ratings></criterion>
<criterion><criterion_id>_2</criterion_id><points>5.0</points><description>Sources</description><ratings>
<rating><description>Full</description><points>5.0</points><id>c</id></rating>
<rating><description>None</description><points>0.0</points><id>d</id></rating>
</ratings></criterion></criteria></rubric>
</rubrics>"""


def course_export(text: str = CANVAS_XML) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        folder.writestr("imsmanifest.xml", "<manifest/>")
        folder.writestr("course_settings/rubrics.xml", text)
    return packed.getvalue()


def test_a_rubric_of_canvas_comes_from_the_export_of_a_course() -> None:
    assert read_file(CANVAS_XML.encode()) == read_file(course_export()) == Found(OF_CANVAS)
    second = CANVAS_XML.replace("</rubrics>", CANVAS_XML[CANVAS_XML.index("<rubric ") :])
    assert read_file(course_export(second)) == Found(OF_CANVAS, (Note.FIRST_OF_SEVERAL,))
    ignored = CANVAS_XML.replace("<description>S", "<ignore_for_scoring>true</ignore_for_scoring><description>S")
    assert [one.weight for one in read_file(course_export(ignored)).draft.criteria] == [1, 0]


@pytest.mark.parametrize("text", [CANVAS_CSV, CANVAS_JSON, f"[{CANVAS_JSON}]", f'{{"rubric": {CANVAS_JSON}}}'])
def test_a_rubric_of_canvas_comes_from_its_table_and_its_api(text: str) -> None:
    assert read_file(text.encode()) == Found(OF_CANVAS)
    assert check(OF_CANVAS) == []


def test_of_several_rubrics_the_first_is_taken_and_that_is_said() -> None:
    both = CANVAS_CSV + "Other,Style,,false,Good,,1,Bad,,0\n"
    assert read_file(both.encode()) == Found(OF_CANVAS, (Note.FIRST_OF_SEVERAL,))


MANY = RubricDraft("", tuple(CriterionDraft(f"C{n}", levels=(LevelDraft("A"), LevelDraft("B"))) for n in range(5000)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Unusable.NOTHING),
        (b" \n", Unusable.NOTHING),
        (b"x" * 1_000_001, Unusable.TOO_LARGE),
        (bytes(range(256)), Unusable.NO_TEXT),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), Unusable.NO_TEXT),
        (b"Dear all, I attach the rubric.", Unusable.NO_RUBRIC),
        (b"name,email\nMette,m@x.dk\n", Unusable.NO_RUBRIC),
        (b"criterion,level,points\n", Unusable.NO_RUBRIC),
        (b"{}", Unusable.NO_RUBRIC),
        (b"[1, 2]", Unusable.NO_RUBRIC),
        (b'{"criteria": [3]}', Unusable.NO_RUBRIC),
        (b'{"rubric": 5}', Unusable.NO_RUBRIC),
        (b"[" * 100_000, Unusable.BROKEN),
        (to_json(every_type())[:900], Unusable.BROKEN),
        (to_csv(MANY), Unusable.TOO_MANY),
        (to_json(RubricDraft("", MANY.criteria[:31])), Unusable.TOO_MANY),
        (b"criterion,level\nA,x\n" + b",y\n" * 10_000, Unusable.TOO_LONG),
        (MOODLE[:700].encode(), Unusable.BROKEN),
        (b"<areas></areas>", Unusable.NO_RUBRIC),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><areas>&a;</areas>', Unusable.NO_RUBRIC),
        (backup("gz")[:200], Unusable.BROKEN),
        (backup("zip")[:200], Unusable.BROKEN),
        (backup("zip", "<areas></areas>"), Unusable.NO_RUBRIC),
        (gzip.compress(bytes(60_000_000)), Unusable.TOO_LARGE),
        (b"<rubrics/>", Unusable.NO_RUBRIC),
        (course_export("<rubrics/>"), Unusable.NO_RUBRIC),
        (course_export(CANVAS_XML[:700]), Unusable.BROKEN),
        (course_export(CANVAS_XML.replace("<rubrics", "<!DOCTYPE rubrics><rubrics", 1)), Unusable.NO_RUBRIC),
    ],
)
def test_a_file_that_is_no_rubric_is_refused_in_a_word(content: bytes, reason: Unusable) -> None:
    with pytest.raises(RubricFileUnusable) as refused:
        read_file(content)
    assert refused.value.reason == reason


def test_half_a_rubric_is_read_as_far_as_it_goes() -> None:
    found = read_file(b'{"title": 5, "criteria": [{"name": "Voice", "levels": [{"label": "Quiet", "points": "x"}]}]}')
    level = LevelDraft("Quiet", "", -1)
    assert found.draft == RubricDraft("5", (CriterionDraft("Voice", levels=(level,)),))
    cut = to_csv(replace(observation_rubric(), title=""))[:700]
    assert read_file(cut).draft.criteria[0].name == observation_rubric().criteria[0].name


@given(some.binary(max_size=300) | some.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with suppress(RubricFileUnusable):
        read_file(content)
