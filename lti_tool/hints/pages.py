"""The lists of words, for the browser that looks at a text while it is written."""

import hashlib
import json
from functools import cache
from typing import Final

from flask import Blueprint, Response

from lti_tool.hints import rules

pages = Blueprint("hints", __name__)
DAY: Final = 24 * 3600


@cache
def lists() -> tuple[str, str]:
    """All lists as JSON, and a short name that changes with them."""
    text = json.dumps(rules.all_lists(), ensure_ascii=False)
    return text, hashlib.sha256(text.encode()).hexdigest()[:12]


@pages.get("/hints/words.json")
def words() -> Response:
    """The words by which hints are given, in every language. The same for everybody, so it needs no visit."""
    text, version = lists()
    answer = Response(text, mimetype="application/json")
    answer.set_etag(version)
    answer.cache_control.public, answer.cache_control.max_age = True, DAY
    return answer
