"""What is measured in the database when Prometheus asks. Here, because the kernel imports neither sessions nor events."""

from sessions_app.models import TableSession
from stores.relay import outbox
from tableorder import broker
from tableorder.metrics import Gauges


def in_database() -> Gauges:
    yield "tableorder_active_sessions", "Parties at tables.", TableSession.objects.active().count()
    if broker.is_on():
        events, age = outbox()
        yield "tableorder_outbox_events", "Events that the message bus has not got yet.", events
        yield "tableorder_outbox_age_seconds", "Age of the oldest of them.", age
