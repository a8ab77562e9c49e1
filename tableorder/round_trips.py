"""Several statements to PostgreSQL, and all that they answer, in one round trip (libpq's pipeline mode).

What costs is the trip: two processes wake each other up, and under load each has lost its caches meanwhile. Six
statements take 275 µs of Python's CPU time one by one, 160 by psycopg's pipeline and 68 here (`python -m
benchmarks.round_trips`, medians).

Which statements are prepared, psycopg says: its list is asked and told, so that what it forgets is forgotten here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import psycopg
from psycopg import errors, pq
from psycopg._preparing import Prepare  # private, as `_prepared` is: psycopg is pinned, and tests/test_round_trips.py would tell
from psycopg.adapt import AdaptersMap, Loader, PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.waiting import Ready, Wait


def ask(driver: psycopg.Connection, statements: Iterable[tuple[str, Sequence]], *, commit: bool = False) -> list[list[tuple]]:
    """The rows that each statement gives; none for one that gives no rows.

    The transaction begins with them if it is to begin, and ends with them if asked. Each statement sees what was
    committed before it began, as if it had been sent alone. Raises the error of the first that fails; those after it
    are not run.
    """
    transformer = _transformer_of(driver)
    asked = [_Statement(transformer, *statement) for statement in statements]
    for statement in asked:  # not before all of them can be sent: what is on the list counts as prepared
        statement.look_up(driver._prepared)
    begin = not driver.autocommit and driver.pgconn.transaction_status == TransactionStatus.IDLE
    with driver.lock:
        if driver._prepared._to_flush:
            driver.wait(driver._prepared.maintain_gen(driver))
        try:
            answers = driver.wait(_trip(driver.pgconn, asked, begin and driver._get_tx_start_command(), commit and b"COMMIT"))
        except BaseException:
            driver.close()  # nobody knows what it would answer next
            raise
    for statement in asked:
        statement.answer = answers[statement.place]
        statement.tell(driver._prepared)
    for answer in answers:
        if answer.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(answer)
    return [statement.rows(transformer) for statement in asked]


def _transformer_of(driver):
    """One for each connection: to find out again with every trip how a type is written takes longer than to write it."""
    if not hasattr(driver, "_our_transformer"):
        driver._our_transformer = Transformer(_Context(driver, AdaptersMap(driver.adapters)))
        driver._our_transformer.adapters.register_loader("timestamptz", _Moment)
    return driver._our_transformer


class _Context(NamedTuple):
    connection: psycopg.Connection
    adapters: AdaptersMap


class _Moment(Loader):
    """Django's looks at it with a regular expression, which takes ten times as long. Its connections are in UTC too."""

    def load(self, data):
        return datetime.fromisoformat(bytes(data).decode())


class _Statement:
    """With `query` and `types`, by which psycopg knows those that are prepared."""

    def __init__(self, transformer, sql, params):
        self.params = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
        self.query, self.types, self.formats = _numbered(sql), transformer.types or (), transformer.formats

    def look_up(self, prepared):
        self.how, self.name = prepared.get(self, True)
        prepared.maybe_add_to_cache(self, self.how, self.name)

    def send(self, pgconn) -> int:
        """How many answers it gets, of which the last is the statement's."""
        if self.how is Prepare.SHOULD:
            pgconn.send_prepare(self.name, self.query, self.types)
        pgconn.send_query_prepared(self.name, self.params, self.formats)
        return 2 if self.how is Prepare.SHOULD else 1

    def tell(self, prepared):
        if self.how is Prepare.SHOULD:
            prepared.validate(prepared.key(self), self.how, self.name, [self.answer])

    def rows(self, transformer):
        if self.answer.status != ExecStatus.TUPLES_OK:
            return []
        transformer.set_pgresult(self.answer)
        return transformer.load_rows(0, self.answer.ntuples, tuple)


@lru_cache(maxsize=1000)
def _numbered(sql: str) -> bytes:
    """As the server wants it: $1 for the first %s."""
    first, *others = sql.split("%s")
    return "".join([first, *(f"${number}{text}" for number, text in enumerate(others, start=1))]).replace("%%", "%").encode()


def _trip(pgconn: pq.PGconn, statements, begin: bytes, commit: bytes):
    """For `Connection.wait`: all the answers, that to BEGIN first."""
    pgconn.enter_pipeline_mode()
    count = 0
    if begin:
        pgconn.send_query_params(begin, None)
        count += 1
    for statement in statements:
        count += statement.send(pgconn)
        statement.place = count - 1
    if commit:
        pgconn.send_query_params(commit, None)
    pgconn.pipeline_sync()
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    answers = []
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        answer = pgconn.get_result()  # None after each
        if answer is not None:
            if answer.status == ExecStatus.PIPELINE_SYNC:
                break
            answers.append(answer)
        elif pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
    pgconn.exit_pipeline_mode()
    return answers
