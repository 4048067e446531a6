"""What the engine is measured beside: other programs on the same people, and what the database takes by itself."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np
import psycopg
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.problem import Couple, Course, Group, Reason, Schedule, Unpaired
from tests.load.pairing_bounds import allowed_couples

POSTGRES = os.environ.get("TANDEM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
GIVE_UP_AFTER = 60
"""Greedy: how many times in a row nobody of those left over found a partner."""


def complete_graph(course: Course, *, is_weighted: bool) -> "nx.Graph[int]":
    """All couples that the rules allow, by place."""
    one, other, points = allowed_couples(course)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(course.people)))
    weights = points.tolist() if is_weighted else [1] * len(points)
    graph.add_weighted_edges_from(zip(one.tolist(), other.tolist(), weights, strict=True))
    return graph


def by_networkx(course: Course, graph: "nx.Graph[int]") -> Schedule:
    """One round; the graph is made while no watch runs."""
    ids = sorted(course.people)
    couples = [(ids[one], ids[other]) for one, other in nx.max_weight_matching(graph, maxcardinality=True)]
    return _schedule(course, [couples])


def greedy(course: Course, rounds: int, seed: int) -> Schedule:
    """Shuffle; whoever stands side by side and may work together does; the others are shuffled again. In numpy."""
    people = People(course.people, course.attributes)
    rng = np.random.default_rng(seed)
    met: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    found = []
    for _ in range(rounds):
        left = np.arange(len(people))
        couples: list[NDArray[np.int64]] = []
        failures = 0
        while len(left) > 1 and failures < GIVE_UP_AFTER:
            order = rng.permutation(left)
            one, other = order[: len(order) // 2], order[len(order) // 2 : len(order) // 2 * 2]
            fits = ~_have(met, np.minimum(one, other) * len(people) + np.maximum(one, other))
            for rule in course.rules:
                fits &= rule.allows(people, one, other)
            couples.append(np.column_stack((one[fits], other[fits])))
            left = np.setdiff1d(left, couples[-1])
            failures = 0 if fits.any() else failures + 1
        together = np.concatenate(couples)
        met = np.sort(np.concatenate([met, together.min(axis=1) * len(people) + together.max(axis=1)]))
        found.append([(one, other) for one, other in people.ids[together].tolist()])
    return _schedule(course, found)


def _have(met: NDArray[np.int64], couples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which couples are among the sorted ones."""
    if not len(met):
        return np.zeros(len(couples), dtype=np.bool_)
    found: NDArray[np.bool_] = met[np.minimum(np.searchsorted(met, couples), len(met) - 1)] == couples
    return found


def _schedule(course: Course, rounds: Sequence[Sequence[Group]]) -> Schedule:
    unpaired = []
    for number, groups in enumerate(rounds, start=1):
        left = set(course.people).difference(*groups) if groups else set(course.people)
        unpaired += [Unpaired(one, number, Reason.NONE_BETTER_FOUND) for one in sorted(left)]
    return Schedule(tuple(map(tuple, rounds)), tuple(unpaired), course)


def allowed_rows(course: Course) -> list[bytes]:
    """For each place a row of zeros and ones: whom the rules allow."""
    people = People(course.people, course.attributes)
    everybody = np.arange(len(people))
    rows = []
    for one in range(len(people)):
        fits = everybody != one
        for rule in course.rules:
            fits &= rule.allows(people, np.full(len(people), one), everybody)
        rows.append(fits.tobytes())
    return rows


def least_loaded(course: Course, allowed: Sequence[bytes], k: int, seed: int) -> list[Couple]:
    """Reviews by the plain rule: in k passes everybody takes a random author of those who have the fewest reviews."""
    chance = Random(seed)
    ids = sorted(course.people)
    reviews = [0] * len(ids)
    taken: list[set[int]] = [set() for _ in ids]
    found = []
    for _ in range(k):
        for reviewer in chance.sample(range(len(ids)), k=len(ids)):
            row, mine = allowed[reviewer], taken[reviewer]
            least = len(ids) * k
            authors: list[int] = []
            for author, count in enumerate(reviews):
                if count > least or not row[author] or author in mine:
                    continue
                if count < least:
                    least, authors = count, [author]
                else:
                    authors.append(author)
            if authors:
                author = chance.choice(authors)
                reviews[author] += 1
                mine.add(author)
                found.append((ids[reviewer], ids[author]))
    return found


@dataclass(frozen=True)
class Database:
    """PostgreSQL with the people of a course in a table, and one for couples."""

    connection: "psycopg.Connection[tuple[object, ...]]"

    def fill(self, course: Course) -> None:
        """Write the people, and forget the couples."""
        columns = ("department", "manager", "languages", "slots", "experience")
        self.connection.execute("TRUNCATE person, couple")
        with self.connection.cursor() as cursor, cursor.copy("COPY person FROM STDIN") as copy:
            for one in course.people:
                values = [course.attributes[name].get(one) for name in columns]
                copy.write_row((one, *(sorted(some) if isinstance(some, frozenset) else some for some in values)))
        self.connection.commit()
        self.connection.autocommit = True
        self.connection.execute("VACUUM ANALYZE person")
        self.connection.autocommit = False

    def read_and_write(self, schedule: Schedule) -> int:
        """One SELECT of the people and one COPY of the couples, committed. Returns how many couples are there."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT id, department, manager, languages, slots, experience FROM person")
            people = cursor.fetchall()
            assert people
            with cursor.copy("COPY couple FROM STDIN") as copy:
                for number, groups in enumerate(schedule.rounds, start=1):
                    copy.write("".join([f"{number}\t{group[0]}\t{group[-1]}\n" for group in groups]))
            written = cursor.rowcount
        self.connection.commit()
        return written

    def cpu(self) -> float:
        """CPU seconds so far of the server process behind the connection, in steps of 10 ms; 0 if it is elsewhere."""
        try:
            fields = Path(f"/proc/{self.connection.info.backend_pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def database() -> Iterator[Database]:
    """A database of its own, gone afterwards."""
    server = POSTGRES.replace("+psycopg", "")
    name = f"tandem_pairing_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(f"{server.rsplit('/', 1)[0]}/{name}") as own:
                own.execute(
                    "CREATE TABLE person (id bigint PRIMARY KEY, department text, manager bigint, languages text[],"
                    " slots text[], experience int)"
                )
                own.execute("CREATE TABLE couple (round int, one bigint, other bigint)")
                own.commit()
                yield Database(own)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
