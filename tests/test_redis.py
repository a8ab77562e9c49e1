"""Redis may be absent, slow, dead or emptied: everything goes on, and nobody waits for it."""

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager

import pytest
from django.conf import settings as configured

from menus import published, services
from stores import wakeup
from stores.models import LoginAttempts, Table
from tableorder import rate_limits, redis
from tests.own_redis import PROGRAM, OwnRedis, free_port
from tests.world import Caller, make_item, new_key, order_for, problem, tablet_of

pytestmark = pytest.mark.filterwarnings("error")

# On the one that the environment names; all others are our own.
needs_redis = pytest.mark.skipif(not configured.REDIS_URL, reason="without Redis: REDIS_URL is not set")

NO_TIME = 0.15  # seconds; half of what a call may wait
HANGS = 2 * redis.TIMEOUT + NO_TIME  # a new connection, and an answer on it


@pytest.fixture
def own_redis(settings, monkeypatch):
    """One that may be broken; the program uses it."""
    if not PROGRAM:
        pytest.skip("without a Redis to break: redis-server is not installed")
    monkeypatch.setattr(redis, "PAUSE", 0.5)
    with OwnRedis() as server:
        settings.REDIS_URL = server.url
        yield server


@contextmanager
def took_at_most(seconds: float):
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def eventually(condition, seconds: float = 10.0):
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "this never came about"
        time.sleep(0.01)


def ping():
    return redis.ask(lambda client: client.ping())


# --- Asking -----------------------------------------------------------------------------------------------------


def test_without_the_variable_nothing_is_asked(settings):
    settings.REDIS_URL = ""
    assert ping() is None
    assert redis.state() == "off"


@needs_redis
def test_the_real_one_answers():
    assert ping() is True
    assert redis.reachable()
    assert redis.state() == "closed"


def test_one_that_is_gone_is_not_asked_for_long(settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert [ping() for _ in range(redis.FAILURES)] == [None] * redis.FAILURES
    assert redis.state() == "open"
    with took_at_most(NO_TIME):
        assert ping() is None
    assert not redis.reachable()


def test_one_that_hangs_costs_one_call_a_moment_and_the_others_nothing(own_redis):
    assert ping() is True
    own_redis.freeze()
    first = threading.Thread(target=ping)
    first.start()
    time.sleep(redis.STALLED + 0.05)
    with took_at_most(NO_TIME):  # nobody joins one that has been waiting for a while
        assert ping() is None
    with took_at_most(HANGS):
        first.join()
    assert redis.state() == "open"
    until = time.monotonic() + 2
    while time.monotonic() < until:  # whether it is back is asked four times meanwhile, and by none of these
        with took_at_most(NO_TIME):
            assert ping() is None
        time.sleep(0.01)
    own_redis.thaw()
    eventually(lambda: ping() is True)
    assert redis.state() == "closed"


def test_one_that_takes_connections_and_never_answers(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/5"
        with took_at_most(HANGS):
            assert ping() is None
        with took_at_most(redis.READY_LIMIT + NO_TIME):
            assert not redis.reachable()


def test_one_that_was_restarted_is_used_again(own_redis):
    assert ping() is True
    own_redis.kill()
    assert [ping() for _ in range(redis.FAILURES)] == [None] * redis.FAILURES
    own_redis.start()
    eventually(lambda: ping() is True)


def test_a_refusal_is_no_answer_either(own_redis):
    assert redis.ask(lambda client: client.execute_command("NO SUCH COMMAND")) is None
    assert ping() is True


def test_what_was_begun_is_answered_later(own_redis):
    first, second = redis.begin("INCR", "counted"), redis.begin("INCR", "counted")
    assert [second.answer(), first.answer()] == [2, 1]
    assert redis.begin("NO", "SUCH", "COMMAND").answer() is None
    assert ping() is True


def test_when_it_has_begun_to_hang_only_one_waits_for_what_was_begun(own_redis):
    assert ping() is True
    own_redis.freeze()
    questions = [redis.begin("PING") for _ in range(3)]
    first = threading.Thread(target=questions[0].answer)
    first.start()
    time.sleep(redis.STALLED + 0.05)
    for question in questions[1:]:
        with took_at_most(NO_TIME):
            assert question.answer() is None
    first.join()
    own_redis.thaw()
    eventually(lambda: ping() is True)


def test_without_it_nothing_is_begun(settings):
    settings.REDIS_URL = ""
    assert redis.begin("PING") is None


def test_one_that_takes_questions_and_hangs_up_is_not_asked_for_long(settings):
    """That a question could be sent proves nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/5"

        def take_and_hang_up():
            for _ in range(redis.FAILURES):
                with server.accept()[0] as taken:
                    taken.recv(1000)  # the choice of the database
                    taken.sendall(b"+OK\r\n")
                    taken.recv(1000)

        hanging_up = threading.Thread(target=take_and_hang_up)
        hanging_up.start()
        for _ in range(redis.FAILURES):
            assert redis.begin("PING").answer() is None
        hanging_up.join()
        assert redis.state() == "open"
        assert redis.begin("PING") is None


def test_readiness_does_not_wait_for_a_name_that_nobody_resolves(settings, monkeypatch):
    settings.REDIS_URL = "redis://cache.example.com/0"
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: given_up.wait(5) and [])
    with took_at_most(redis.READY_LIMIT + NO_TIME):
        assert not redis.reachable()
    given_up.set()


def test_readiness_finds_out_that_it_is_back_when_nobody_asks(own_redis):
    own_redis.kill()
    assert [ping() for _ in range(redis.FAILURES)] == [None] * redis.FAILURES
    own_redis.start()
    eventually(lambda: redis.reachable() and redis.state() == "closed")


def test_of_many_callers_one_tries_whether_it_is_back(monkeypatch):
    breaker = redis.Breaker()
    monkeypatch.setattr(redis, "PAUSE", 0)
    assert [breaker.failed() for _ in range(redis.FAILURES)] == [False, False, True]
    monkeypatch.setattr(redis, "PAUSE", 60)
    trials = []
    threads = [threading.Thread(target=lambda: trials.append(breaker.wants_trial())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(trials) == [False] * 19 + [True]
    assert breaker.state == "half_open"
    breaker.tried(success=True)
    assert breaker.state == "closed"


def test_failures_count_only_in_a_row():
    breaker = redis.Breaker()
    for _ in range(10):
        assert not breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed"


@pytest.mark.django_db
@pytest.mark.parametrize("answers", [True, False], ids=["ok", "down"])
def test_readiness_tells_of_it_and_stays_ready(client, own_redis, answers):
    if not answers:
        own_redis.freeze()
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["checks"]["redis"]["status"] == ("ok" if answers else "down")
    assert body["checks"]["redis"]["ms"] < 1000 * (redis.READY_LIMIT + NO_TIME)
    assert body["status"] == ("ok" if answers else "degraded")


# --- Hints between processes ------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    """What a listener of this process is told: store ids, or None for any."""
    heard, listeners = [], []
    monkeypatch.setattr(wakeup, "_listeners", listeners)
    monkeypatch.setattr(wakeup, "_publisher", wakeup.Publisher())
    # With listeners of its own: subscribers that other tests have left behind go on hearing the Redis that all share.
    monkeypatch.setattr(wakeup, "_subscriber", wakeup.Subscriber(listeners))
    wakeup.listen(heard.append)
    return heard


@pytest.fixture
def subscribed(own_redis, heard):
    eventually(lambda: heard == [None])  # the subscription has come about
    heard.clear()
    return heard


@contextmanager
def announced_elsewhere(url, *store_ids):
    """Again and again meanwhile, because a hint may be lost: by a machine so busy that Redis is given up for a moment."""
    code = f"""
import select, sys, uuid
from stores import wakeup
while not select.select([sys.stdin], [], [], 0.2)[0]:
    for store_id in {[str(store_id) for store_id in store_ids]}:
        wakeup.announce(uuid.UUID(store_id))
"""
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    process = subprocess.Popen(command, cwd=configured.BASE_DIR, env=os.environ | {"REDIS_URL": url}, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_hint_reaches_other_processes(own_redis, subscribed):
    one, another = uuid.uuid4(), uuid.uuid4()
    with announced_elsewhere(own_redis.url, one, another):
        eventually(lambda: set(subscribed) == {one, another}, seconds=30)


def test_a_hint_reaches_its_own_process_at_once_and_only_once(own_redis, subscribed):
    mine, theirs = uuid.uuid4(), uuid.uuid4()
    wakeup.announce(mine)
    assert subscribed == [mine]
    own_redis.client.publish(wakeup.CHANNEL, f"another-process {theirs}")
    eventually(lambda: len(subscribed) > 1)
    assert subscribed == [mine, theirs]


def test_hints_of_a_busy_moment_go_together(own_redis, subscribed, monkeypatch):
    messages = []
    monkeypatch.setattr(redis, "ask", messages.append)
    began = time.monotonic()
    for _ in range(300):
        wakeup.announce(uuid.uuid4())
        time.sleep(0.0005)
    eventually(lambda: not wakeup._publisher._waiting)
    assert 1 <= len(messages) <= (time.monotonic() - began) / wakeup.PAUSE + 2


def test_after_a_break_anything_may_have_happened(own_redis, subscribed):
    own_redis.kill()
    own_redis.start()
    eventually(lambda: subscribed == [None])
    store_id = uuid.uuid4()
    own_redis.client.publish(wakeup.CHANNEL, f"another-process {store_id}")
    eventually(lambda: subscribed == [None, store_id])


def test_a_subscription_that_died_without_a_word_begins_anew(own_redis, subscribed, monkeypatch):
    monkeypatch.setattr(redis, "QUIET", 0.1)
    monkeypatch.setattr(redis, "LOST", 1.0)
    own_redis.freeze()
    time.sleep(3)
    own_redis.thaw()
    eventually(lambda: None in subscribed)


def test_a_message_that_nobody_understands_does_no_harm(own_redis, subscribed):
    own_redis.client.publish(wakeup.CHANNEL, "another-process nonsense")
    eventually(lambda: None in subscribed, seconds=30)  # it has begun anew


def test_no_one_waits_for_a_hint_to_go_out(own_redis, heard):
    own_redis.freeze()
    with took_at_most(10.0):  # for them all: if they waited, each would take a second
        for _ in range(2 * wakeup.MOST_WAITING):
            wakeup.announce(uuid.uuid4())
    assert len(wakeup._publisher._waiting) <= wakeup.MOST_WAITING


def test_without_redis_a_hint_stays_in_the_process(settings, heard):
    settings.REDIS_URL = ""
    store_id = uuid.uuid4()
    wakeup.announce(store_id)
    assert heard[-1] == store_id
    assert wakeup._publisher._thread is None


# --- The menu ---------------------------------------------------------------------------------------------------


@pytest.fixture
def another_process():
    """Calling it forgets what this process remembers of menus."""
    published.rendered_menu.cache_clear()
    return published.rendered_menu.cache_clear


def test_a_menu_is_rendered_by_one_process_for_all(own_redis, another_process, tablet, django_assert_num_queries):
    first = tablet.get("tablet/menu")
    another_process()
    with django_assert_num_queries(1):  # who is calling; the menu itself comes from Redis
        second = tablet.get("tablet/menu")
    assert first.content == second.content
    assert [0 < own_redis.client.ttl(key) <= published.SHARED_FOR for key in own_redis.client.keys("tableorder:menu:*")] == [True]


def test_a_changed_menu_is_not_the_one_in_redis(own_redis, another_process, tablet, ours):
    tablet.get("tablet/menu")
    services.change_item(ours.item, price=13000, actor=ours.owner)
    assert tablet.get("tablet/menu").json()["categories"][0]["items"][0]["price"] == 13000


def test_a_menu_with_other_addresses_of_pictures_is_another_one(own_redis, another_process, tablet, ours, settings):
    make_item(ours, image="stores/dish.jpg")
    tablet.get("tablet/menu")
    another_process()
    settings.MEDIA_URL = "https://pictures.example.com/"
    assert "https://pictures.example.com/" in tablet.get("tablet/menu").content.decode()


@pytest.mark.parametrize("what", ["nothing", "nonsense", "another store's menu", "a list"])
def test_what_is_no_menu_of_this_store_is_not_shown_as_one(own_redis, another_process, tablet, ours, theirs, what):
    """It would stay with the process until the next change of the menu, long after it is gone from Redis."""
    theirs_shown = tablet_of(theirs.table).get("tablet/menu").content
    [theirs_kept] = [own_redis.client.get(key) for key in own_redis.client.keys("tableorder:menu:*")]
    own_redis.client.flushall()
    shown = tablet.get("tablet/menu").content
    [key] = own_redis.client.keys("tableorder:menu:*")
    another_process()
    assert theirs_kept.endswith(theirs_shown)
    if what == "a list":
        own_redis.client.delete(key)
        own_redis.client.rpush(key, "x")
    else:
        own_redis.client.set(key, {"nothing": b"", "nonsense": b"x" * 100, "another store's menu": theirs_kept}[what])
    assert tablet.get("tablet/menu").content == shown
    assert own_redis.client.get(key).endswith(shown), "put right for the others"


def test_the_menu_is_there_without_redis(own_redis, another_process, tablet):
    own_redis.freeze()
    assert tablet.get("tablet/menu").status_code == 200


# --- The product with it and without ----------------------------------------------------------------------------


@pytest.fixture
def limited(settings):
    """To so few requests that Redis is asked about each."""
    settings.RATE_LIMIT_PER_MINUTE = settings.ORDER_RATE_PER_MINUTE = settings.LOGIN_RATE_PER_MINUTE = 9


def test_orders_and_sign_ins_go_on_while_it_hangs(own_redis, limited, ours, tablet):
    own_redis.freeze()
    sign_in = {"store": "ours", "username": "ours-owner", "password": "correct horse 42"}
    for _ in range(redis.FAILURES + 1):
        assert tablet.post("tablet/orders", order_for(ours.item), key=new_key()).status_code == 201
    with took_at_most(redis.TIMEOUT):
        assert tablet.post("tablet/orders", order_for(ours.item), key=new_key()).status_code == 201
    assert Caller().post("staff/login", sign_in).status_code == 200


def test_those_who_ask_little_do_not_notice_that_it_hangs(own_redis, settings, ours, tablet):
    settings.RATE_LIMIT_PER_MINUTE = settings.ORDER_RATE_PER_MINUTE = 100
    own_redis.freeze()
    with took_at_most(redis.TIMEOUT / 2):
        assert tablet.post("tablet/orders", order_for(ours.item), key=new_key()).status_code == 201
    assert redis.state() == "closed"


def test_a_redis_that_has_not_seen_the_script_counts_as_well(own_redis):
    limit = rate_limits.Limit("token:anybody", 3)
    for left in (2, 1, 0):
        own_redis.client.script_flush()
        assert rate_limits.Spending(limit).budget().remaining == left
    assert redis.state() == "closed"


def test_a_token_that_may_not_come_in_leaves_no_question_open(own_redis, limited, tablet, ours):
    Table.objects.update(is_active=False)
    before = own_redis.client.info("clients")["connected_clients"]
    for _ in range(5):
        problem(tablet.get("tablet/menu"), 401, "TOKEN_INVALID")
    assert own_redis.client.info("clients")["connected_clients"] <= before + 1


def test_emptying_it_does_not_forgive_wrong_passwords(own_redis, limited, ours, anyone):
    wrong = {"store": "ours", "username": "ours-owner", "password": "wrong"}
    for _ in range(5):
        problem(anyone.post("staff/login", wrong), 401, "INVALID_CREDENTIALS")
    problem(anyone.post("staff/login", wrong), 429, "LOGIN_LOCKED")
    own_redis.client.flushall()
    problem(anyone.post("staff/login", wrong), 429, "LOGIN_LOCKED")
    assert LoginAttempts.objects.filter(locked_until__isnull=False).exists()
