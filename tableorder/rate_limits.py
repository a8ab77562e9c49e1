"""How often somebody may ask in a minute: counted in Redis for all processes together, or by each one for itself.

Redis is not asked about those who ask little: up to a tenth of each limit a process lets pass by itself, and tells
Redis of when there is more. So the last of several processes may let somebody have up to a tenth too much. In return
a restaurant's evening doesn't wait for Redis, and doesn't notice when it hangs.

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
from itertools import chain

from django.conf import settings

from . import redis

WINDOW = 60_000  # milliseconds
QUIET = 10  # that part of a limit is no matter for Redis
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
        self._spent = _quietly(self._limits) if redis.is_on() else _in_this_process.spend(self._limits)
        if self._limits and not self._spent:
            self._asked = _asked_of_redis(self._limits, untold=_in_this_process.tell(self._limits))
            self._question = redis.begin("EVALSHA", SHA1, *self._asked)

    def budget(self) -> Budget | None:
        """That of the limit that is nearest to its end; None if no limit is set. To be called once; never raises."""
        limits = self._limits
        if not limits:
            return None
        spent = self._spent or self._together() or _in_this_process.spend(limits)
        budgets = [
            Budget(limit.per_minute, remaining, max(1, math.ceil((wait or reset) / 1000)), refused=wait > 0)
            for limit, (remaining, reset, wait) in zip(limits, spent, strict=True)
        ]
        return max(budgets, key=lambda budget: (budget.refused, budget.reset if budget.refused else -budget.remaining))

    def _together(self) -> "Spent | None":
        spent = self._question and self._question.answer()
        spent = spent or redis.ask(lambda client: client.eval(SCRIPT, *self._asked))  # if it has not seen the script yet
        if spent and _admitted(spent):
            _in_this_process.note(self._limits)
        return spent


# For each limit: requests remaining; milliseconds until the window ends; milliseconds until one more would be
# admitted, 0 if this one was.
Spent = list[tuple[int, int, int]]


def _admitted(spent: Spent) -> bool:
    return not any(wait for _, _, wait in spent)


# --- In Redis ---------------------------------------------------------------------------------------------------

# One round trip, and nobody in between. The clock is that of Redis: those of the machines differ.
# The same arithmetic as in `Windows` below. Beside each limit: how many have been let pass that are not counted yet.
SCRIPT = """
local length = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local windows, refused = {}, false
for i, key in ipairs(KEYS) do
    local limit, untold = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    local kept = redis.call('HMGET', key, 'began', 'count', 'before')
    local began, count, before = tonumber(kept[1]) or now, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
    local passed = math.floor((now - began) / length)
    if passed == 1 then
        began, before, count = began + length, count, 0
    elseif passed ~= 0 then
        began, before, count = now, 0, 0
    end
    count = count + untold
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
    windows[i] = {began, count, before, share, wait, limit, untold}
end
local answer = {}
for i, key in ipairs(KEYS) do
    local began, count, before, share, wait, limit, untold = unpack(windows[i])
    if not refused then
        count = count + 1
    end
    if not refused or untold > 0 then
        redis.call('HSET', key, 'began', began, 'count', count, 'before', before)
        redis.call('PEXPIRE', key, 2 * length)
    end
    answer[i] = {math.max(0, math.floor(limit - count - before * share)), math.ceil(share * length), wait}
end
return answer
"""


SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # by which Redis knows a script that it has seen


def _asked_of_redis(limits, untold):
    """The number of keys, the keys, and the other arguments of the script."""
    keys = [f"tableorder:rate:{limit.holder}" for limit in limits]
    return [len(keys), *keys, WINDOW, *chain.from_iterable(zip((limit.per_minute for limit in limits), untold, strict=True))]


# --- In this process --------------------------------------------------------------------------------------------


class Windows:
    """What one process has let pass, for as many holders as it remembers, and how much of it Redis knows. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, int, int, int]] = OrderedDict()  # (began, count, before, told)

    def spend(self, limits: list[Limit], *, now: float | None = None) -> Spent:
        """`now`: milliseconds on a clock that never goes back."""
        with self._lock:
            now = _now() if now is None else now  # not before: a thread that waited here would begin a window anew
            windows = [self._window(limit.holder, now) for limit in limits]
            waits = [self._wait(limit.per_minute, window, now) for limit, window in zip(limits, windows, strict=True)]
            admitted = not any(waits)
            spent = []
            for limit, (began, count, before, told), wait in zip(limits, windows, waits, strict=True):
                if admitted:
                    count += 1
                    self._keep(limit.holder, (began, count, before, told))
                share = 1 - (now - began) / WINDOW
                remaining = max(0, math.floor(limit.per_minute - count - before * share))
                spent.append((remaining, math.ceil(share * WINDOW), wait))
            return spent

    def tell(self, limits: list[Limit]) -> list[int]:
        """How many of each window Redis doesn't know yet; from now on it does."""
        untold = []
        with self._lock:
            now = _now()
            for limit in limits:
                began, count, before, told = self._window(limit.holder, now)
                untold.append(count - told)
                if count > told:
                    self._keep(limit.holder, (began, count, before, count))
        return untold

    def note(self, limits: list[Limit]):
        """Redis has let one more pass."""
        with self._lock:
            now = _now()
            for limit in limits:
                began, count, before, told = self._window(limit.holder, now)
                self._keep(limit.holder, (began, count + 1, before, told + 1))

    def _window(self, holder, now):
        began, count, before, told = self._kept.get(holder, (now, 0, 0, 0))
        passed = (now - began) // WINDOW
        if passed == 0:
            return began, count, before, told
        return (began + WINDOW, 0, count, 0) if passed == 1 else (now, 0, 0, 0)

    def _wait(self, limit, window, now) -> int:
        """Milliseconds until one more request fits in; 0 if it does now."""
        began, count, before, _ = window
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


def _now() -> float:
    return time.monotonic() * 1000


_in_this_process = Windows()


def _quietly(limits) -> Spent | None:
    """If none of them is used here for more than that part of it."""
    parts = [Limit(limit.holder, limit.per_minute // QUIET) for limit in limits]
    if not all(part.per_minute for part in parts):
        return None
    spent = _in_this_process.spend(parts)
    if not _admitted(spent):
        return None
    rest = [limit.per_minute - part.per_minute for limit, part in zip(limits, parts, strict=True)]
    return [(more + left, reset, 0) for more, (left, reset, _) in zip(rest, spent, strict=True)]
