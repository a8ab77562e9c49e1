"""How an event is written on the wire: Server-Sent Events (WHATWG HTML, section 9.2).

A frame is a few lines and an empty one. Its last `id:` is what a client sends back as `Last-Event-ID`.
"""

CONTENT_TYPE = "text/event-stream; charset=utf-8"

# What a stream begins with: come back after 2 s if this breaks, and a comment, so that the client sees at once
# that it is open, through every proxy.
OPENING = b"retry: 2000\n\n: open\n\n"
PING = b": ping\n\n"

# Line breaks to Unicode and not to this format: clients that split by Python's `splitlines` would cut an event in two.
OTHER_BREAKS = {"\x85": r"\u0085", "\u2028": r"\u2028", "\u2029": r"\u2029"}


def event(number: int, type: str, body: str) -> bytes:
    """One event. `body` must be one line, as JSON is: in JSON text a line break is always escaped."""
    for character, escaped in OTHER_BREAKS.items():
        body = body.replace(character, escaped)
    return f"id: {number}\nevent: {type}\ndata: {body}\n\n".encode()


def reset(number: int) -> bytes:
    """ "What you had is too far from here; read the snapshot again." A reconnect goes on after `number`."""
    return event(number, "reset", "{}")
