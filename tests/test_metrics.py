"""What Prometheus gets to see: what was committed and answered, from all workers, and nothing when it came by Nginx."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from config import gone_workers
from orders.models import Order
from stores import auth
from stores.errors import InvalidCredentials
from tableorder import metrics, redis
from tests.own_server import OwnServer, samples
from tests.stores import stream_client
from tests.stores.conftest import hub  # noqa: F401  a fixture
from tests.threads import begin
from tests.world import Caller, new_key, order_for, place

ORDERED = "tableorder_http_requests_total{method=POST,route=/api/v1/tablet/orders,status=201}"
REFUSED = "tableorder_http_requests_total{method=GET,route=/api/v1/staff/board,status=401}"


@pytest.fixture
def grown(client):
    """By how much each number has grown since the test began."""

    def read():
        return samples(client.get("/metrics").content.decode())

    before = read()
    return lambda: {name: value - before.get(name, 0) for name, value in read().items()}


# --- What is counted --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_order_is_counted_once_however_often_it_is_sent(tablet, ours, grown):
    for _ in range(2):
        tablet.post("tablet/orders", order_for(ours.item), key="the-same-key")
    found = grown()
    assert found["tableorder_orders_total"] == 1
    assert found[ORDERED] == 1
    assert found["tableorder_http_requests_total{method=POST,route=/api/v1/tablet/orders,status=200}"] == 1
    assert found["tableorder_http_request_duration_seconds_count{method=POST,route=/api/v1/tablet/orders}"] == 2


@pytest.mark.django_db(transaction=True)
def test_an_order_that_is_not_committed_is_not_counted(tablet, ours, grown):
    with transaction.atomic():
        assert tablet.post("tablet/orders", order_for(ours.item), key=new_key()).status_code == 201
        transaction.set_rollback(True)
    assert not Order.objects.exists()
    assert grown()["tableorder_orders_total"] == 0


@pytest.mark.django_db(transaction=True)
def test_cancelled_lines_are_counted(owner, ours, grown):
    order = place(ours.table, *ours.items)
    owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "dropped", "version": order["version"]})
    assert grown()["tableorder_order_lines_cancelled_total"] == 2


@pytest.mark.django_db(transaction=True)
def test_failures_to_sign_in_and_locks_are_counted(ours, client, grown):
    for _ in range(6):
        Caller().post("tablet/login", {"store": "ours", "table": "1", "password": "wrong"})
    Caller().post("staff/login", {"store": "ours", "username": "nobody", "password": "wrong"})
    client.post("/admin/login/", {"username": "nobody", "password": "wrong"})
    found = grown()
    assert found["tableorder_login_failures_total{kind=tablet}"] == 5
    assert found["tableorder_login_failures_total{kind=staff}"] == 1
    assert found["tableorder_login_failures_total{kind=admin}"] == 1
    assert found["tableorder_login_locks_total"] == 1


@pytest.mark.django_db(transaction=True)
def test_signing_in_is_no_failure(ours, grown):
    auth.log_in_staff(store="ours", username="ours-owner", password="correct horse 42", address="10.0.0.9")
    with pytest.raises(InvalidCredentials):
        auth.log_in_staff(store="ours", username="ours-owner", password="wrong", address="10.0.0.9")
    assert grown()["tableorder_login_failures_total{kind=staff}"] == 1


@pytest.mark.django_db
def test_parties_at_tables_are_counted_when_asked(client, ours, theirs):
    for world in (ours, theirs):
        place(world.table, world.item)
    assert samples(client.get("/metrics").content.decode())["tableorder_active_sessions"] == 2


@pytest.mark.django_db
def test_the_outbox_is_shown_if_there_is_a_message_bus(client, ours, settings):
    place(ours.table, ours.item)
    assert "tableorder_outbox_events" not in samples(client.get("/metrics").content.decode())
    settings.RABBITMQ_URL = "amqp://nowhere"
    found = samples(client.get("/metrics").content.decode())
    assert found["tableorder_outbox_events"] >= 2
    assert 0 <= found["tableorder_outbox_age_seconds"] < 60


@pytest.mark.django_db
def test_without_the_database_the_other_numbers_are_there(client):
    def away(*args):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        answer = client.get("/metrics")
    assert answer.status_code == 200
    found = samples(answer.content.decode())
    assert "tableorder_orders_total" in found and "tableorder_active_sessions" not in found


@pytest.mark.django_db(transaction=True)
def test_streams_and_the_way_to_them_are_measured(ours, staff, hub, grown):  # noqa: F811
    async def story():
        client = await stream_client.Client(stream_client.STAFF, authorization=f"Bearer {staff}").opened()
        assert metrics.streams_open._value.get() == before + 1
        await asyncio.to_thread(stream_client_order, ours)
        await client.until(lambda: len(client.events()) >= 2)
        client._gone.set()
        await client.task
        assert metrics.streams_open._value.get() == before

    before = metrics.streams_open._value.get()
    asyncio.run(story())
    found = grown()
    assert found["tableorder_stream_delay_seconds_count"] >= 2
    assert found["tableorder_stream_delay_seconds_bucket{le=30.0}"] == found["tableorder_stream_delay_seconds_count"]
    assert found["tableorder_http_requests_total{method=GET,route=/api/v1/staff/events,status=200}"] == 1


def stream_client_order(ours):
    place(ours.table, ours.item)
    connection.close()


@pytest.fixture
def staff(owner):
    return owner.token


def test_the_breaker_is_shown(client, db, monkeypatch):
    for state, value in (("closed", 0), ("open", 2), ("half_open", 1)):
        monkeypatch.setattr(redis, "state", lambda state=state: state)
        monkeypatch.setattr(metrics, "_look_again_at", 0)
        assert samples(client.get("/metrics").content.decode())["tableorder_breaker_state{name=redis}"] == value


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has a pool")
@pytest.mark.django_db(transaction=True)
def test_waiting_for_a_connection_is_measured(grown, monkeypatch):
    def busy():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")

    running = [begin(busy) for _ in range(connection.pool.max_size + 1)]
    for each in running:
        each.result(20)
    monkeypatch.setattr(metrics, "_look_again_at", 0)
    found = grown()
    assert found["tableorder_database_pool_requests_total"] > len(running) - 1
    assert found["tableorder_database_pool_queued_requests_total"] > 0
    assert found["tableorder_database_pool_wait_seconds_total"] > 0.1


# --- Who gets to see it -----------------------------------------------------------------------------------------


def test_what_came_through_a_proxy_finds_nothing(client):
    assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics"])
def test_machines_ask_by_address_and_not_by_name(client, settings, path):
    settings.ALLOWED_HOSTS = ["orders.example.com"]
    assert client.get(path, headers={"host": "10.0.3.17:8000"}).status_code == 200
    assert client.get("/admin/", headers={"host": "10.0.3.17:8000"}).status_code == 400


def test_names_and_units_are_those_of_prometheus(client, db):
    """https://prometheus.io/docs/practices/naming/"""
    client.get("/health")
    families = list(text_string_to_metric_families(client.get("/metrics").content.decode()))
    assert len(families) > 15
    for family in families:
        assert re.fullmatch(r"(tableorder|process)(_[a-z0-9]+)+", family.name), family.name
        assert family.documentation.endswith("."), family.name
        assert not family.name.endswith(("_ms", "_milliseconds", "_kb", "_count", "_sum")), family.name
        assert family.type != "unknown", family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_strange_methods_and_addresses_make_no_new_series(client, db, grown):
    for number in range(5):
        client.generic(f"METHOD{number}", f"/nowhere/{number}")
        client.get(f"/nowhere/{number}")
    found = {name: value for name, value in grown().items() if name.startswith("tableorder_http_requests_total") and value}
    assert found["tableorder_http_requests_total{method=OTHER,route=unmatched,status=404}"] == 5
    assert found["tableorder_http_requests_total{method=GET,route=unmatched,status=404}"] == 5
    assert not [name for name in found if "nowhere" in name or "METHOD" in name]


# --- Over all workers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("serve", ["all", "api"])
def test_a_scrape_shows_all_workers_whichever_it_reaches(tmp_path, serve):
    with OwnServer(tmp_path, WEB_CONCURRENCY="2", SERVE=serve) as server:
        server.until(lambda: server.metrics()["tableorder_workers"] == 2)
        for asked in range(1, 21):
            refused(server)
            assert server.metrics()[REFUSED] == asked
        assert server.metrics()["process_resident_memory_bytes"] > 50e6
        (folder,) = folders(server)
        assert folder.stat().st_mode & 0o777 == 0o700
        server.stop()
        assert not folder.exists()
        assert all("level" in line for line in server.lines())


def test_counts_outlive_their_workers_and_their_files_do_not(tmp_path):
    with OwnServer(tmp_path, WEB_CONCURRENCY="2", SERVE="api") as server:
        for _ in range(10):
            refused(server)
        for change in (reload, kill_one, reload):
            before = server.workers()
            change(server)
            server.until(lambda before=before, change=change: gone(server, before) >= (1 if change is kill_one else 2))
            server.until(lambda: server.metrics()["tableorder_workers"] == 2)
        assert server.metrics()[REFUSED] == 10
        (folder,) = folders(server)
        alive = server.workers()
        left = {file.stem.rpartition("_")[2] for file in folder.glob("*.db")}
        assert left <= {"gone", *map(str, alive)}
        server.stop()


def test_what_a_killed_server_leaves_behind_is_cleared_away_by_the_next_one(tmp_path):
    for name in ("killed", "other", "next"):
        (tmp_path / name).mkdir()
    with OwnServer(tmp_path / "killed") as killed, OwnServer(tmp_path / "other") as other:
        (left,), (kept,) = folders(killed), folders(other)
        reload(other)  # its lock must outlive that
        other.until(lambda: other.metrics()["tableorder_workers"] == 1)
        workers = killed.workers()
        for pid in [killed.process.pid, *workers]:
            os.kill(pid, signal.SIGKILL)
        killed.process.wait()
        assert left.exists()
        with OwnServer(tmp_path / "next"):
            assert not left.exists() and kept.exists()


def refused(server):
    with pytest.raises(OSError, match="401"):
        server.get("/api/v1/staff/board")


def reload(server):
    server.process.send_signal(signal.SIGHUP)


def kill_one(server):
    os.kill(min(server.workers()), signal.SIGKILL)


def gone(server, before) -> int:
    now = server.workers()
    return len(before - now) if len(now) == 2 else 0


def folders(server) -> list:
    """Where this server's workers count."""
    used = Path(f"/proc/{min(server.workers())}/maps").read_text()
    return sorted({Path(found) for found in re.findall(r"(\S+/tableorder-metrics-\w+)/counter_", used)})


def test_the_counts_of_those_that_are_gone_are_added_up_but_not_under_a_scrape(tmp_path):
    for pid, value in ((1, 2.0), (2, 3.0), (3, 4.0)):
        counts = MmapedDict(str(tmp_path / f"counter_{pid}.db"))
        counts.write_value(mmap_key("orders", "orders_total", [], [], "Orders."), value, 0.0)
        counts.close()
    with metrics._nothing_moves_in(tmp_path):
        gone_workers.add_up(tmp_path, alive=[3])
        assert (tmp_path / "counter_1.db").exists()
    for _ in range(2):
        gone_workers.add_up(tmp_path, alive=[3])
        assert {file.name for file in tmp_path.glob("*.db")} == {"counter_3.db", "counter_gone.db"}
        (found,) = MultiProcessCollector(None, str(tmp_path)).collect()
        assert [sample.value for sample in found.samples] == [9.0]
