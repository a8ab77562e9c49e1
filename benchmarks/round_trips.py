"""What statements cost Python when they go one by one, by psycopg's pipeline, or by tableorder/round_trips.py.

python -m benchmarks.round_trips
"""

import time

import psycopg

from tableorder import round_trips
from tests.own_postgresql import SERVER

from .figures import Spread

STATEMENT = "SELECT number, text FROM (VALUES (1, 'one'), (2, 'two')) AS known (number, text) WHERE number = %s"
COUNTS, ROUNDS, TIMES = (1, 3, 6), 9, 400


def one_by_one(connection, asked):
    cursor = connection.cursor()
    return [cursor.execute(*statement).fetchall() for statement in asked]


def by_pipeline(connection, asked):
    with connection.pipeline():
        cursors = [connection.execute(*statement) for statement in asked]
    return [cursor.fetchall() for cursor in cursors]


def main():
    ways = {"one by one": one_by_one, "psycopg's pipeline": by_pipeline, "round_trips": round_trips.ask}
    found = {(count, name): [] for count in COUNTS for name in ways}
    with psycopg.connect(SERVER, autocommit=True) as connection:
        for _ in range(ROUNDS):
            for count in COUNTS:
                asked = [(STATEMENT, [number % 2 + 1]) for number in range(count)]
                for name, way in ways.items():
                    assert len(way(connection, asked)) == count
                    began = time.thread_time()
                    for _ in range(TIMES):
                        way(connection, asked)
                    found[count, name].append(1e6 * (time.thread_time() - began) / TIMES)
    print("microseconds of Python's CPU time, median (lowest-highest)")
    for (count, name), values in found.items():
        print(f"{count} statements, {name}: {Spread(values)}")


if __name__ == "__main__":
    main()
