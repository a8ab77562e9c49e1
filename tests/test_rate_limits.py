"""A hundred requests a minute, counted together through Redis or by each process alone; the same arithmetic in both."""

import itertools
import random
import time
import uuid
from collections import deque
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db.models import F

from stores.models import Store
from tableorder import rate_limits, redis
from tableorder.rate_limits import Limit, Spending, Windows
from tests.own_redis import free_port
from tests.world import PASSWORD, TABLE_PASSWORD, Caller, new_key, order_for, problem, staff_of, tablet_of

needs_redis = pytest.mark.skipif(not configured.REDIS_URL, reason="without Redis: REDIS_URL is not set")

ORDERS = "tablet/orders"
MENU = "tablet/session"


@pytest.fixture(params=["in this process", pytest.param("in Redis", marks=needs_redis), "with Redis down"])
def counted(request, settings, monkeypatch):
    """Where requests are counted; each test in every place."""
    monkeypatch.setattr(rate_limits, "_in_this_process", Windows())
    match request.param:
        case "in this process":
            settings.REDIS_URL = ""
        case "with Redis down":
            settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"


@pytest.fixture
def address():
    """One that nobody has signed in from."""
    return f"2001:db8:{random.randrange(65536):x}:{random.randrange(65536):x}::1"


def limit_of(answer) -> tuple[int, int]:
    assert 1 <= int(answer["RateLimit-Reset"]) <= 120
    return int(answer["RateLimit-Limit"]), int(answer["RateLimit-Remaining"])


# --- Over HTTP --------------------------------------------------------------------------------------------------


def test_a_token_has_so_many_requests_and_is_told_how_many_are_left(counted, settings, tablet):
    settings.RATE_LIMIT_PER_MINUTE = 3
    answers = [tablet.get(MENU) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [limit_of(answer) for answer in answers] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    problem(answers[3], 429, "RATE_LIMITED")
    assert 1 <= int(answers[3]["Retry-After"]) <= 80
    assert answers[3]["Retry-After"] == answers[3]["RateLimit-Reset"]


def test_another_token_has_its_own(counted, settings, ours, theirs):
    settings.RATE_LIMIT_PER_MINUTE = 2
    first, beside, elsewhere = tablet_of(ours.table), tablet_of(ours.table), tablet_of(theirs.table)
    person = staff_of(ours.store, ours.owner)
    assert [first.get(MENU).status_code for _ in range(3)] == [200, 200, 429]
    for other in (beside, elsewhere):
        assert limit_of(other.get(MENU)) == (2, 1)
    assert limit_of(person.get("staff/orders")) == (2, 1)


def test_a_tablet_that_refreshes_goes_on_counting(counted, settings, ours):
    settings.RATE_LIMIT_PER_MINUTE = 3  # refreshing is one
    first = Caller().post("tablet/login", SIGN_INS["tablet/login"]).json()
    second = Caller().post("tablet/refresh", {"refresh": first["refresh"]}).json()
    assert [Caller(tokens["access"]).get(MENU).status_code for tokens in (first, second, second)] == [200, 200, 429]


def test_every_answer_to_a_token_counts_and_says_so(counted, settings, tablet, ours):
    settings.RATE_LIMIT_PER_MINUTE = 100
    asked = [
        (tablet.get(MENU), 200),
        (tablet.post("tablet/quote", {"lines": [{"item": str(uuid.uuid4()), "quantity": 1, "options": []}]}), 404),
        (tablet.post("tablet/quote", {}), 400),
        (tablet.get("tablet/quote"), 405),
        (tablet.get("staff/orders"), 403),
    ]
    assert [answer.status_code for answer, _ in asked] == [status for _, status in asked]
    assert [limit_of(answer) for answer, _ in asked] == [(100, left) for left in (99, 98, 97, 96, 95)]


def test_whoever_waits_as_told_gets_through(counted, settings, monkeypatch, tablet):
    monkeypatch.setattr(rate_limits, "WINDOW", 500)
    settings.RATE_LIMIT_PER_MINUTE = 2
    assert [tablet.get(MENU).status_code for _ in range(3)] == [200, 200, 429]
    time.sleep(int(tablet.get(MENU)["Retry-After"]))
    assert tablet.get(MENU).status_code == 200


def test_zero_is_no_limit(counted, settings, tablet, ours):
    settings.RATE_LIMIT_PER_MINUTE = settings.ORDER_RATE_PER_MINUTE = 0
    for _ in range(5):
        answer = tablet.post(ORDERS, order_for(ours.item), key=new_key())
        assert answer.status_code == 201
        assert "RateLimit-Limit" not in answer


def test_a_table_has_so_many_orders_whichever_tablet_sends_them(counted, settings, ours):
    settings.RATE_LIMIT_PER_MINUTE, settings.ORDER_RATE_PER_MINUTE = 100, 2
    here, also_here, there = tablet_of(ours.tables[0]), tablet_of(ours.tables[0]), tablet_of(ours.tables[1])
    body = order_for(ours.item)
    assert here.post(ORDERS, body, key="tap-0001").status_code == 201
    assert here.post(ORDERS, body, key="tap-0001").status_code == 200  # a repeat is a request too
    refused = also_here.post(ORDERS, body, key="tap-0002")
    problem(refused, 429, "RATE_LIMITED")
    assert limit_of(refused) == (2, 0)
    assert here.get(MENU).status_code == 200
    assert there.post(ORDERS, body, key="tap-0003").status_code == 201


def test_the_same_table_of_another_database_has_its_own(counted, settings, ours):
    """As the demo's: its ids are the same in each, and several may share a Redis."""
    settings.ORDER_RATE_PER_MINUTE = 1
    here = tablet_of(ours.table)
    assert here.post(ORDERS, order_for(ours.item), key=new_key()).status_code == 201
    Store.objects.update(created_at=F("created_at") + timedelta(seconds=1))
    assert tablet_of(ours.table).post(ORDERS, order_for(ours.item), key=new_key()).status_code == 201
    problem(here.post(ORDERS, order_for(ours.item), key=new_key()), 429, "RATE_LIMITED")


def test_the_limit_nearest_to_its_end_is_told(counted, settings, tablet, ours):
    settings.RATE_LIMIT_PER_MINUTE, settings.ORDER_RATE_PER_MINUTE = 3, 5
    assert limit_of(tablet.post(ORDERS, order_for(ours.item), key=new_key())) == (3, 2)
    settings.RATE_LIMIT_PER_MINUTE = 100
    assert limit_of(tablet.post(ORDERS, order_for(ours.item), key=new_key())) == (5, 3)


def test_what_one_limit_refuses_does_not_count_for_the_other(counted, settings, tablet, ours):
    settings.RATE_LIMIT_PER_MINUTE, settings.ORDER_RATE_PER_MINUTE = 10, 1
    assert [tablet.post(ORDERS, order_for(ours.item), key=new_key()).status_code for _ in range(4)] == [201, 429, 429, 429]
    assert limit_of(tablet.get(MENU)) == (10, 8)


def test_a_staff_token_at_the_tablets_door_is_refused_for_its_role(counted, settings, owner, ours):
    settings.RATE_LIMIT_PER_MINUTE = settings.ORDER_RATE_PER_MINUTE = 5
    problem(owner.post(ORDERS, order_for(ours.item), key=new_key()), 403, "FORBIDDEN")


SIGN_INS = {
    "staff/login": {"store": "ours", "username": "ours-owner", "password": PASSWORD},
    "tablet/login": {"store": "ours", "table": "1", "password": TABLE_PASSWORD},
}


def test_an_address_has_so_many_sign_ins_at_all_doors_together(counted, settings, ours, address):
    settings.LOGIN_RATE_PER_MINUTE = 2
    caller = Caller(REMOTE_ADDR=address)
    assert [caller.post(path, body).status_code for path, body in SIGN_INS.items()] == [200, 200]
    for path, body in SIGN_INS.items():
        problem(caller.post(path, body), 429, "RATE_LIMITED")
    assert Caller(REMOTE_ADDR="192.0.2.7").post("tablet/login", SIGN_INS["tablet/login"]).status_code == 200
    page = caller.http.post("/admin/login/", {"username": "ours-owner", "password": PASSWORD})
    assert page.status_code == 200  # the form again, with the reason
    assert "Too many requests" in page.content.decode()
    assert "_auth_user_id" not in caller.http.session


def test_who_tries_passwords_does_not_keep_the_tablets_of_the_house_out(counted, settings, ours, address):
    settings.LOGIN_RATE_PER_MINUTE, settings.RATE_LIMIT_PER_MINUTE = 1, 3
    house = Caller(REMOTE_ADDR=address)
    first, second = (house.post("tablet/login", body).json() for body in [SIGN_INS["tablet/login"]] * 2)
    assert second["code"] == "RATE_LIMITED"
    again = [house.post("tablet/refresh", {"refresh": first["refresh"]}) for _ in range(4)]
    assert [answer.status_code for answer in again] == [200, 200, 200, 429]
    assert [limit_of(answer) for answer in again] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    problem(house.get("tablet/refresh"), 405, "METHOD_NOT_ALLOWED")


def test_a_forged_address_is_no_other_address(counted, settings, ours, address):
    settings.LOGIN_RATE_PER_MINUTE = 2
    caller, wrong = Caller(REMOTE_ADDR=address), SIGN_INS["tablet/login"] | {"password": "wrong"}
    answers = [caller.post("tablet/login", wrong, x_forwarded_for=f"192.0.2.{number}") for number in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_the_admins_pages_are_not_counted(counted, settings, client, ours):
    settings.RATE_LIMIT_PER_MINUTE = settings.LOGIN_RATE_PER_MINUTE = 1
    client.force_login(ours.owner)
    assert [client.get("/admin/").status_code for _ in range(3)] == [200, 200, 200]


# --- Where it is counted ----------------------------------------------------------------------------------------


@needs_redis
def test_processes_count_together_through_redis(monkeypatch):
    limit = Limit(f"token:{uuid.uuid4()}", 3)
    for _ in range(3):
        monkeypatch.setattr(rate_limits, "_in_this_process", Windows())  # as if each were another process
        assert not Spending(limit).budget().refused
    assert Spending(limit).budget().refused
    key = f"tableorder:rate:{limit.holder}"
    assert redis.ask(lambda client: client.pttl(key)) <= 2 * rate_limits.WINDOW


@needs_redis
def test_redis_is_asked_only_about_those_who_ask_much_and_then_told_of_all_of_it(monkeypatch):
    limit, begin, asked = Limit(f"token:{uuid.uuid4()}", 50), redis.begin, []
    monkeypatch.setattr(redis, "begin", lambda *words: asked.append(words) or begin(*words))
    assert [Spending(limit).budget().remaining for _ in range(5)] == [49, 48, 47, 46, 45]
    assert not asked
    assert [Spending(limit).budget().remaining for _ in range(3)] == [44, 43, 42]
    assert len(asked) == 3
    assert redis.ask(lambda client: client.hget(f"tableorder:rate:{limit.holder}", "count")) == b"8"


@needs_redis
def test_of_several_processes_the_last_may_let_a_tenth_too_much(monkeypatch):
    limit, processes, admitted = Limit(f"token:{uuid.uuid4()}", 50), [Windows() for _ in range(3)], 0
    for process, requests in ((0, 5), (1, 5), (2, 100), (0, 100), (1, 100)):
        monkeypatch.setattr(rate_limits, "_in_this_process", processes[process])
        admitted += sum(not Spending(limit).budget().refused for _ in range(requests))
    assert admitted == 50 + 5 + 5
    assert redis.ask(lambda client: client.hget(f"tableorder:rate:{limit.holder}", "count")) == b"60"


def test_a_process_forgets_whom_it_has_not_seen_for_longest(monkeypatch):
    monkeypatch.setattr(rate_limits, "MOST_HOLDERS", 100)
    windows = Windows()
    for number in range(1000):
        windows.spend([Limit("busy", 10_000), Limit(str(number), 1)], now=0)
    assert len(windows._kept) == 100
    assert windows._kept["busy"] == (0, 1000, 0, 0)


def test_a_thread_that_has_waited_does_not_begin_a_window_anew(monkeypatch):
    windows, limit, clock = Windows(), Limit("somebody", 10), itertools.count()
    monkeypatch.setattr(rate_limits, "_now", lambda: next(clock))
    lock = windows._lock

    class Taken:
        """By another thread's request, which comes first."""

        def __enter__(self):
            windows._lock = lock
            windows.spend([limit])
            return lock.__enter__()

        def __exit__(self, *error):
            lock.__exit__(*error)

    windows._lock = Taken()
    [(remaining, _, _)] = windows.spend([limit])
    assert remaining == 8


# --- The arithmetic ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_what_is_promised_holds_for_any_rhythm(seed):
    rhythm = random.Random(seed)
    limit = Limit("somebody", rhythm.randint(1, 30))
    windows, now, admitted = Windows(), 0.0, deque()
    for _ in range(2000):
        now += rhythm.choice([0, rhythm.expovariate(1 / 500), rhythm.expovariate(1 / 5000), rhythm.choice([0, 0, 30_000, 200_000])])
        [(remaining, reset, wait)] = windows.spend([limit], now=now)
        assert 0 <= remaining < limit.per_minute and 0 < reset <= rate_limits.WINDOW
        if wait:
            assert remaining == 0 and wait <= 2 * rate_limits.WINDOW
            now += wait - 1.5  # whole milliseconds: up to one too many
            assert wait == 1 or windows.spend([limit], now=now)[0][2] > 0
            now += 1.5
            assert windows.spend([limit], now=now)[0][2] == 0
        admitted.append(now)
        while admitted[0] <= now - rate_limits.WINDOW:
            admitted.popleft()
        assert len(admitted) < 2 * limit.per_minute  # all of the window before came late


def test_the_first_minute_is_exact():
    windows, limit = Windows(), Limit("somebody", 100)
    waits = [windows.spend([limit], now=now)[0][2] for now in range(0, rate_limits.WINDOW, 300)]
    assert [wait == 0 for wait in waits] == [True] * 100 + [False] * 100


@needs_redis
@pytest.mark.parametrize("seed", range(3))
def test_redis_counts_as_a_process_does(seed):
    # The script takes its time from Redis; here it takes it from us, to compare millisecond by millisecond.
    script = rate_limits.SCRIPT.replace("redis.call('TIME')", "{math.floor(ARGV[6] / 1000), ARGV[6] % 1000 * 1000}")
    assert script != rate_limits.SCRIPT
    rhythm, windows, now = random.Random(seed), Windows(), 1_800_000_000_000
    limits = [Limit(f"token:{uuid.uuid4()}", 13), Limit(f"orders:{uuid.uuid4()}", 5)]
    keys = [f"tableorder:rate:{limit.holder}" for limit in limits]
    for _ in range(300):
        now += int(rhythm.choice([0, 700, 4000, rhythm.expovariate(1 / 5000), rhythm.expovariate(1 / 50000)]))
        arguments = [rate_limits.WINDOW, *(number for limit in limits for number in (limit.per_minute, 0)), now]
        answer = redis.ask(lambda client: client.eval(script, len(keys), *keys, *arguments))  # noqa: B023  called at once
        assert [tuple(spent) for spent in answer] == windows.spend(limits, now=now)
