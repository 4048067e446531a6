"""How long the PDF of a certificate takes, as a job. Run: python -m tests.load.certificates [certificates]

Prints the median of single jobs, with their database work, after one job that loads the fonts: time on the clock, and
of the processor, which other programs on the machine change less.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from flask import render_template

from lti_tool.app import create_app
from lti_tool.certificates import service, wording
from lti_tool.certificates.models import Certificate
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine
from lti_tool.wiring import build
from tests.factories.feedback import a_classroom
from tests.shared import DEVELOPMENT

NAMES = ("Mette Åström", "محمد الفاتح", "王小明", "Ådne Ångström-Ødegård af Sandeberg")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'certificates.db'}"
        services = build(Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url}))
        schema.upgrade(make_engine(url))
        app, now = create_app(services), datetime.now(UTC)
        holders = [f"Learner {number}" for number in range(count + 1)]
        with services.kit.open_session() as session:
            room = a_classroom(session, *holders, now=now, groups=())
        with services.kit.open_session(room.institution.id) as session, app.test_request_context():
            for number, holder in enumerate(holders):
                certificate = Certificate(
                    activity_id=room.activity.id,
                    member_id=room.members[holder].id,
                    key=f"k{number}",
                    name=NAMES[number % len(NAMES)],
                    title="Observation and feedback",
                    issuer="University",
                    hours=[["Observed", "3"], ["Observer", "1.5"]],
                    locale="en",
                    issued_at=now,
                    pdf_state="waiting",
                )
                session.add(certificate)
                session.flush()
                shown = wording.shown(service.content_of(certificate), certificate.name, now, "Europe/Stockholm")
                page = render_template("certificates/document.html", shown=shown, address="https://tandem.example/c/k")
                service.keep_document(session, certificate, page, can_print=True, now=now)
        worker, took, busy = Worker(services.kit, services.handlers), [], []
        for _ in holders:
            begun, before = time.perf_counter(), time.process_time()
            assert worker.run_one(), "every certificate has its job"
            took.append((time.perf_counter() - begun) * 1000)
            busy.append((time.process_time() - before) * 1000)
        with services.kit.open_session(room.institution.id) as session:
            states = {one.pdf_state for one in session.query(Certificate)}
        assert states == {"ready"}, states
        clock, processor = (statistics.median(times[1:]) for times in (took, busy))
        print(f"{count} PDFs, one job each, medians: {clock:.0f} ms, {processor:.0f} ms of the processor")
        services.engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
