-- Sends the requests of a file, one after the other and again, until a moment; then it only waits for the answers that
-- are under way and ends, so that what was acknowledged is known exactly. Writes a line for each answer: its status,
-- when it was asked and when it came, in microseconds. Which question it answers, the server says: X-Request-ID.
--
--   wrk -s wrk.lua URL -- <file of requests> <seconds> <file of answers> <name of this run>
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } moment; int clock_gettime(int clock, moment *at);")
ffi.cdef("int getpid(); int kill(int pid, int signal);")
local at = ffi.new("moment")

local function now()
   ffi.C.clock_gettime(1, at)
   return tonumber(at.s) * 1e6 + math.floor(tonumber(at.ns) / 1e3)
end

local requests, answers, stop_at, run = {}, nil, nil, nil
local made, allowed, answered = 0, 0, 0 -- wrk makes the first request only to look at it

function init(args)
   for line in io.lines(args[1]) do
      local method, path, token, body = line:match("^(.-)\t(.-)\t(.-)\t(.*)$")
      local headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" }
      table.insert(requests, { method = method, path = path, headers = headers, body = body ~= "" and body or nil })
   end
   stop_at, answers, run = now() + args[2] * 1e6, io.open(args[3], "w"), args[4]
end

function delay() -- asked by each connection before each request
   if now() < stop_at then
      allowed = allowed + 1
      return 0
   end
   if allowed == answered then ffi.C.kill(ffi.C.getpid(), 2) end -- as with Ctrl+C
   return 60000
end

function request()
   made = made + 1
   local asked = requests[made % #requests + 1]
   asked.headers["X-Request-ID"] = string.format("asked-%d", now())
   if asked.body then asked.headers["Idempotency-Key"] = string.format("%s-%d", run, made) end
   return wrk.format(asked.method, asked.path, asked.headers, asked.body)
end

function response(status, headers)
   answered = answered + 1
   answers:write(string.format("%d %s %d\n", status, headers["X-Request-ID"]:sub(7), now()))
end
