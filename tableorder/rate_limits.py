"""How often somebody may ask in a minute: counted in Redis for all processes together, or by each one for itself.

The algorithm is the sliding window counter (Cloudflare, "Counting things, a lot of different things", 2017): two
numbers, the requests of this window and of the one before, of which as much counts as would still lie in the last
minute if they had come evenly. (If all of them came late, that minute sees up to twice the limit; the next doesn't.)
The first window begins with the first request and not with the clock's minute, so whoever has been quiet has the
whole of it. What is refused doesn't count: who waits gets through.

These limits are about load. Those on guessing passwords are in the database (stores/login_limits.py).
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.conf import settings

from . import redis

WINDOW = 60_000  # milliseconds
MOST_HOLDERS = 20_000  # remembered by one process, some 200 bytes each; the longest quiet are forgotten first


@dataclass(frozen=True)
class Limit:
    holder: str
    per_minute: int  # 0: no limit


def of_token(token_id: str) -> Limit:
    return Limit(f"token:{token_id}", settings.RATE_LIMIT_PER_MINUTE)


def of_orders(table: str) -> Limit:
    return Limit(f"orders:{table}", settings.ORDER_RATE_PER_MINUTE)


def of_logins(address: str) -> Limit:
    return Limit(f"logins:{address}", settings.LOGIN_RATE_PER_MINUTE)


@dataclass(frozen=True)
class Budget:
    """What is left of a limit after a request."""

    limit: int
    remaining: int
    reset: int  # seconds until the window ends; if refused, until the next request may succeed
    refused: bool

    @property
    def headers(self) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-03, the last one with three headers of their own."""
        return {"RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.remaining), "RateLimit-Reset": str(self.reset)}


class Spending:
    """One request, being counted against these limits, or against none if one of them refuses it.

    In Redis, that happens while something else is waited for: a wait costs more than all the rest of it.
    """

    def __init__(self, *limits: Limit):
        self._limits = [limit for limit in limits if limit.per_minute]
        self._question = _ask_redis(self._limits) if self._limits else None

    def budget(self) -> Budget | None:
        """That of the limit that is nearest to its end; None if no limit is set. To be called once; never raises."""
        limits = self._limits
        if not limits:
            return None
        spent = self._question.answer() if self._question else None
        spent = spent or redis.ask(lambda client: _in_redis(client, limits)) or _in_this_process.spend(limits)
        budgets = [
            Budget(limit.per_minute, remaining, max(1, math.ceil((wait or reset) / 1000)), refused=wait > 0)
            for limit, (remaining, reset, wait) in zip(limits, spent, strict=True)
        ]
        return max(budgets, key=lambda budget: (budget.refused, budget.reset if budget.refused else -budget.remaining))


# For each limit: requests remaining; milliseconds until the window ends; milliseconds until one more would be
# admitted, 0 if this one was.
Spent = list[tuple[int, int, int]]


# --- In Redis ---------------------------------------------------------------------------------------------------

# One round trip, and nobody in between. The clock is that of Redis: those of the machines differ.
# The same arithmetic as in `Windows` below.
SCRIPT = """
local length = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local windows, refused = {}, false
for i, key in ipairs(KEYS) do
    local limit = tonumber(ARGV[i + 1])
    local kept = redis.call('HMGET', key, 'began', 'count', 'before')
    local began, count, before = tonumber(kept[1]) or now, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
    local passed = math.floor((now - began) / length)
    if passed == 1 then
        began, before, count = began + length, count, 0
    elseif passed ~= 0 then
        began, before, count = now, 0, 0
    end
    local share = 1 - (now - began) / length
    local wait = 0
    if count + before * share + 1 > limit then
        if count < limit then
            wait = math.ceil((share - (limit - count - 1) / before) * length)
        else
            wait = math.ceil(share * length + (count - limit + 1) / count * length)
        end
        wait = math.max(1, wait)
        refused = true
    end
    windows[i] = {began, count, before, share, wait, limit}
end
local answer = {}
for i, key in ipairs(KEYS) do
    local began, count, before, share, wait, limit = unpack(windows[i])
    if not refused then
        count = count + 1
        redis.call('HSET', key, 'began', began, 'count', count, 'before', before)
        redis.call('PEXPIRE', key, 2 * length)
    end
    answer[i] = {math.max(0, math.floor(limit - count - before * share)), math.ceil(share * length), wait}
end
return answer
"""


SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # by which Redis knows a script that it has seen


def _ask_redis(limits) -> redis.Question | None:
    return redis.begin("EVALSHA", SHA1, *_arguments(limits))


def _in_redis(client, limits) -> Spent:
    """With the script: it has not seen it yet."""
    return client.eval(SCRIPT, *_arguments(limits))


def _arguments(limits):
    return [len(limits), *(f"tableorder:rate:{limit.holder}" for limit in limits), WINDOW, *(limit.per_minute for limit in limits)]


# --- In this process --------------------------------------------------------------------------------------------


class Windows:
    """The counts of one process, for as many holders as it remembers. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, int, int]] = OrderedDict()  # (began, count, before)

    def spend(self, limits: list[Limit], *, now: float | None = None) -> Spent:
        """`now`: milliseconds on a clock that never goes back."""
        now = time.monotonic() * 1000 if now is None else now
        with self._lock:
            windows = [self._window(limit.holder, now) for limit in limits]
            waits = [self._wait(limit.per_minute, window, now) for limit, window in zip(limits, windows, strict=True)]
            admitted = not any(waits)
            spent = []
            for limit, (began, count, before), wait in zip(limits, windows, waits, strict=True):
                if admitted:
                    count += 1
                    self._keep(limit.holder, (began, count, before))
                share = 1 - (now - began) / WINDOW
                remaining = max(0, math.floor(limit.per_minute - count - before * share))
                spent.append((remaining, math.ceil(share * WINDOW), wait))
            return spent

    def _window(self, holder, now):
        began, count, before = self._kept.get(holder, (now, 0, 0))
        passed = (now - began) // WINDOW
        if passed == 0:
            return began, count, before
        return (began + WINDOW, 0, count) if passed == 1 else (now, 0, 0)

    def _wait(self, limit, window, now) -> int:
        """Milliseconds until one more request fits in; 0 if it does now."""
        began, count, before = window
        share = 1 - (now - began) / WINDOW
        if count + before * share + 1 <= limit:
            return 0
        if count < limit:  # until so much of the window before has slid out
            return max(1, math.ceil((share - (limit - count - 1) / before) * WINDOW))
        # Until this window is the one before, and enough of it has slid out.
        return math.ceil(share * WINDOW + (count - limit + 1) / count * WINDOW)

    def _keep(self, holder, window):
        self._kept[holder] = window
        self._kept.move_to_end(holder)
        if len(self._kept) > MOST_HOLDERS:
            self._kept.popitem(last=False)


_in_this_process = Windows()
