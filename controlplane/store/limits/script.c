// The scripts, in Lua 5.1 as Redis runs it. The clock is that of Redis, so that nodes need not agree on the
// time; one that goes back makes a window open early, never shut for long.
// Runs on: Redis.

#include "store/limits/script.h"

// clang-format off
// KEYS: nodes, lives, the slots of this life. ARGV: name, life, milliseconds until it is taken for dead,
// prefix of slots. How many nodes there are. The former life of the node ends.
static const char join_text[] =
"local nodes, lives = KEYS[1], KEYS[2]\n"
"local name, life, timeout = ARGV[1], ARGV[2], tonumber(ARGV[3])\n"
"local time = redis.call('TIME')\n"
"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
"local former = redis.call('HGET', lives, name)\n"
"if former then\n"
"  redis.call('ZREM', nodes, former)\n"
"  redis.call('DEL', ARGV[4] .. former)\n"
"end\n"
"redis.call('HSET', lives, name, life)\n"
"redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)\n"
"redis.call('ZADD', nodes, now + timeout, life)\n"
"return tostring(redis.call('ZCARD', nodes))\n";

// KEYS: nodes, slots. ARGV: life, milliseconds. How many nodes there are; 0: this one is taken for dead.
static const char beat_text[] =
"local time = redis.call('TIME')\n"
"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
"if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return '0' end\n"
"redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])\n"
"redis.call('PEXPIRE', KEYS[2], ARGV[2])\n"
"return tostring(redis.call('ZCARD', KEYS[1]))\n";

// KEYS: nodes, windows of trunk and account. ARGV: prefix of slots, life, milliseconds, SIDs of trunk and
// account, calls a second of each, calls at a time of each; 0: no limit. "ok", or which limit refused, or
// "dead". Reads all it needs before it writes.
static const char take_text[] =
"local slots, life, trunk, account = ARGV[1], ARGV[2], ARGV[4], ARGV[5]\n"
"local trunk_rate, account_rate = tonumber(ARGV[6]), tonumber(ARGV[7])\n"
"local trunk_calls, account_calls = tonumber(ARGV[8]), tonumber(ARGV[9])\n"
"local time = redis.call('TIME')\n"
"local now = time[1] * 1000000 + time[2]\n"
"local function is_reached(window, rate)\n"
"  if rate == 0 then return false end\n"
"  local moment = redis.call('LINDEX', window, rate - 1)\n"
"  local age = moment and now - moment\n"
"  return age and age >= 0 and age < 1000000\n"
"end\n"
"if is_reached(KEYS[2], trunk_rate) then return 'trunk_rate' end\n"
"if is_reached(KEYS[3], account_rate) then return 'account_rate' end\n"
"if trunk_calls > 0 or account_calls > 0 then\n"
"  local on_trunk, on_account = 0, 0\n"
"  for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do\n"
"    local held = redis.call('HMGET', slots .. node, trunk, account)\n"
"    on_trunk = on_trunk + (tonumber(held[1]) or 0)\n"
"    on_account = on_account + (tonumber(held[2]) or 0)\n"
"  end\n"
"  if trunk_calls > 0 and on_trunk >= trunk_calls then return 'trunk_calls' end\n"
"  if account_calls > 0 and on_account >= account_calls then return 'account_calls' end\n"
"end\n"
"if not redis.call('ZSCORE', KEYS[1], life) then return 'dead' end\n"
"local function note(window, rate)\n"
"  if rate == 0 then return end\n"
"  redis.call('LPUSH', window, string.format('%.0f', now))\n"
"  redis.call('LTRIM', window, 0, rate - 1)\n"
"  redis.call('PEXPIRE', window, 2000)\n"
"end\n"
"note(KEYS[2], trunk_rate)\n"
"note(KEYS[3], account_rate)\n"
"redis.call('HINCRBY', slots .. life, trunk, 1)\n"
"redis.call('HINCRBY', slots .. life, account, 1)\n"
"redis.call('PEXPIRE', slots .. life, ARGV[3])\n"
"return 'ok'\n";

// KEYS: slots. ARGV: SIDs of trunk and account.
static const char give_text[] =
"for _, sid in ipairs(ARGV) do\n"
"  if redis.call('HINCRBY', KEYS[1], sid, -1) <= 0 then redis.call('HDEL', KEYS[1], sid) end\n"
"end\n"
"return 'ok'\n";

// KEYS: slots. ARGV: milliseconds, a SID and its calls on this node.
static const char hold_text[] =
"redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])\n"
"redis.call('PEXPIRE', KEYS[1], ARGV[1])\n"
"return 'ok'\n";

// KEYS: nodes, windows of each SID. ARGV: prefix of slots, the SIDs. "CALLS RATE" of each, one a line.
static const char read_text[] =
"local time = redis.call('TIME')\n"
"local now = time[1] * 1000000 + time[2]\n"
"local nodes, lines = redis.call('ZRANGE', KEYS[1], 0, -1), {}\n"
"for i = 2, #ARGV do\n"
"  local calls, rate = 0, 0\n"
"  for _, node in ipairs(nodes) do\n"
"    calls = calls + (tonumber(redis.call('HGET', ARGV[1] .. node, ARGV[i])) or 0)\n"
"  end\n"
"  for _, moment in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do\n"
"    if now - moment >= 1000000 then break end\n"
"    rate = rate + 1\n"
"  end\n"
"  lines[#lines + 1] = calls .. ' ' .. rate\n"
"end\n"
"return table.concat(lines, '\\n')\n";

const char *const store_limits_scripts[STORE_LIMITS_SCRIPTS] = {
	[STORE_LIMITS_JOIN] = join_text, [STORE_LIMITS_BEAT] = beat_text,
	[STORE_LIMITS_TAKE] = take_text, [STORE_LIMITS_GIVE] = give_text,
	[STORE_LIMITS_HOLD] = hold_text, [STORE_LIMITS_READ] = read_text,
};
// clang-format on
