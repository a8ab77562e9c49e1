"""How an event is written on the wire: Server-Sent Events (WHATWG HTML, section 9.2).

A frame is a few lines and an empty one. Its last `id:` is what a client sends back as `Last-Event-ID`.
"""

CONTENT_TYPE = "text/event-stream; charset=utf-8"

# What a stream begins with: come back after 2 s if this breaks, and a comment, so that the client sees at once
# that it is open, through every proxy.
OPENING = b"retry: 2000\n\n: open\n\n"
PING = b": ping\n\n"


def event(number: int, type: str, body: str) -> bytes:
    """One event. `body` must be one line, as JSON is: in JSON text a line break is always escaped."""
    return f"id: {number}\nevent: {type}\ndata: {body}\n\n".encode()


def reset(number: int) -> bytes:
    """ "What you had is too far from here; read the snapshot again." A reconnect goes on after `number`."""
    return event(number, "reset", "{}")
