"""What a worker answers to what it can't read as HTTP, and Django never sees: as every refusal of ours is told.

Only a worker may load it: it loads Django, and what the master has loaded a reload would not read again.
"""

from types import SimpleNamespace

from tableorder.api import problem_response
from tableorder.errors import Malformed
from tableorder.middleware import request_id_from


def refusal(detail: str) -> bytes:
    """The whole answer, after which the connection is to be closed."""
    id = request_id_from(None)  # what the client wrote may be what can't be read
    answer = problem_response(SimpleNamespace(request_id=id), Malformed(detail))
    manners = {"X-Request-ID": id, "X-Process-Time": "0.0", "Content-Length": len(answer.content), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in (dict(answer.headers) | manners).items())
    return f"HTTP/1.1 400 Bad Request\r\n{head}\r\n".encode() + answer.content
