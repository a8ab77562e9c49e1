"""How a command that runs for ever is told to stop."""

import os
import signal
import threading

GRACE = 5.0  # seconds to finish what is under way


def stop_signal() -> threading.Event:
    """Is set by SIGTERM and SIGINT.

    Whoever has not come to an end GRACE seconds later is ended: a database that hangs must not make the operator
    wait. So only for commands that lose nothing by it.
    """
    stop = threading.Event()

    def told(number, frame):
        stop.set()
        last_resort = threading.Timer(GRACE, os._exit, [1])
        last_resort.daemon = True
        last_resort.start()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, told)
    return stop
