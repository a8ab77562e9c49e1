"""Ports that treat a client badly."""

import contextlib
import socket
import threading


@contextlib.contextmanager
def badly_behaved(way: str):
    """The address of a port that `hangs` (accepts and never answers), `refuses`, or `fails` (answers 500).

    And a list of the connections that it had.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    kept = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                kept.append(client)
                if way == "fails":
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    client.shutdown(socket.SHUT_WR)

    if way == "refuses":
        listener.close()
    else:
        threading.Thread(target=serve, daemon=True).start()
    try:
        yield endpoint, kept
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for client in kept:
            client.close()
