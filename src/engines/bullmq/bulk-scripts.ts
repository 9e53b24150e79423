/**
 * What BullMQ's scripts do to one job, done to many in one step: four of them cover nearly all that happens to tasks. They leave behind what BullMQ's own would
 * (`bullmq-bulk.test.ts` holds both against each other, key by key) but for entries in the stream of events, and know only the plain case; everything
 * else stays with BullMQ's.
 */

// KEYS: wait, prioritized, its counter, marker, meta, ids. ARGV: what job keys begin with, now, then id, name, data and priority of each.
// As addStandardJob and addPrioritizedJob do it. What could fail comes before the first job is written: none is left that waits nowhere.
export const addAll = `
redis.call('LLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])
local base, now = ARGV[1], ARGV[2]
local new, counts, ids, plain = {}, {}, {}, {}
for i = 3, #ARGV, 4 do
  local id = ARGV[i]
  if not new[id] and redis.call('EXISTS', base .. id, base .. id .. ':gone') == 0 then
    new[id] = i
    ids[#ids + 1] = 0
    ids[#ids + 1] = id
    if ARGV[i + 3] == '0' then plain[#plain + 1] = id
    else counts[id] = redis.call('INCR', KEYS[3]) end
  end
end
if #ids == 0 then return 0 end
redis.call('ZADD', KEYS[6], unpack(ids))
if #plain > 0 then redis.call('LPUSH', KEYS[1], unpack(plain)) end
for i = 3, #ARGV, 4 do
  local id, priority = ARGV[i], ARGV[i + 3]
  if new[id] == i then
    if counts[id] then redis.call('ZADD', KEYS[2], tonumber(priority) * 0x100000000 + counts[id] % 0x100000000, id) end
    redis.call('HSET', base .. id, 'name', ARGV[i + 1], 'data', ARGV[i + 2], 'opts', priority == '0' and '{}' or '{"priority":' .. priority .. '}',
      'timestamp', now, 'delay', 0, 'priority', priority)
  end
end
local meta = redis.call('HMGET', KEYS[5], 'paused', 'concurrency')
if not meta[1] and not meta[2] then redis.call('ZADD', KEYS[4], 0, '0') end
return #ids / 2`

// KEYS: wait, prioritized, active, meta, delayed, marker. ARGV: what job keys begin with, now, duration of the locks, owner, most characters to answer, how many fields to read,
// those, then a token for each claim. As moveToActive does it; what is no job any more leaves the line. Answers when the first scheduled job is due (-1: there is none), whether others are left (1),
// then the id and the fields of each; or 0 alone, and takes none, where that is by now, or the queue is paused or limited.
export const takeAll = `
local meta = redis.call('HMGET', KEYS[4], 'paused', 'concurrency', 'max')
if meta[1] or meta[2] or meta[3] then return { 0 } end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2]
local due = first and math.floor(tonumber(first) / 0x1000) or -1
if first and due <= tonumber(ARGV[2]) then return { 0 } end
local base, now, duration, owner, most, last = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), 6 + tonumber(ARGV[6])
local count = #ARGV - last
-- What could fail comes before the first job is moved.
redis.call('ZCARD', KEYS[2])
redis.call('LLEN', KEYS[3])
local ids, scores = redis.call('RPOP', KEYS[1], count) or {}, {}
if #ids < count then
  local others = redis.call('ZPOPMIN', KEYS[2], count - #ids)
  for i = 1, #others, 2 do
    ids[#ids + 1] = others[i]
    scores[others[i]] = others[i + 1]
  end
end
if #ids > 0 then redis.call('LPUSH', KEYS[3], unpack(ids)) end
local function putBackFrom(first)
  for i = #ids, first, -1 do
    local id = ids[i]
    redis.call('LREM', KEYS[3], 1, id)
    if scores[id] then redis.call('ZADD', KEYS[2], scores[id], id) else redis.call('RPUSH', KEYS[1], id) end
  end
end
local taken, length = { due, 0 }, 0
for at, id in ipairs(ids) do
  local job = base .. id
  local fields = redis.pcall('HMGET', job, 'ats', unpack(ARGV, 7, last))
  if fields.err then redis.call('LREM', KEYS[3], 1, id)
  else
    for _, text in ipairs(fields) do length = length + #(text or '') end
    -- The first goes however long it is.
    if length > most and #taken > 2 then
      putBackFrom(at)
      break
    end
    redis.call('SET', job .. ':lock', ARGV[last + #taken - 1], 'PX', duration)
    fields[1] = (tonumber(fields[1]) or 0) + 1
    redis.call('HSET', job, 'processedOn', now, 'pb', owner, 'ats', fields[1])
    table.insert(fields, 1, id)
    taken[#taken + 1] = fields
  end
end
-- Whoever else waits is told of what is left.
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then
  taken[2] = 1
  redis.call('ZADD', KEYS[6], 0, '0')
end
return taken`

// KEYS: active, completed, stalled, expires. ARGV: what job keys begin with, now, then id, token, result, count of moves and when it may go of each. As
// moveToFinished does it. Answers for each 0, or what that script would, and 1 where the job is more than a task of ours.
export const completeAll = `
local base, now = ARGV[1], ARGV[2]
local locks, answers, held, expiries, freed, ids, scores = {}, {}, {}, {}, {}, {}, {}
for i = 3, #ARGV, 5 do locks[#locks + 1] = base .. ARGV[i] .. ':lock' end
local tokens = redis.call('MGET', unpack(locks))
for at, token in ipairs(tokens) do
  local i = at * 5 - 2
  local fields = redis.call('HMGET', base .. ARGV[i], 'name', 'parentKey', 'parent', 'deid')
  if not fields[1] then answers[at] = -1
  elseif fields[2] or fields[3] or fields[4] then answers[at] = 1
  elseif not token then answers[at] = -2
  elseif token ~= ARGV[i + 1] then answers[at] = -6
  else
    answers[at] = 0
    held[#held + 1] = ARGV[i]
    expiries[#expiries + 1] = ARGV[i + 4]
    expiries[#expiries + 1] = ARGV[i]
  end
end
redis.call('ZCARD', KEYS[2])
if #held > 0 then
  -- First what a full Redis does too: it does the rest then.
  redis.call('SREM', KEYS[3], unpack(held))
  redis.call('ZADD', KEYS[4], unpack(expiries))
end
for at, answer in ipairs(answers) do
  local i = at * 5 - 2
  local id = ARGV[i]
  if answer == 0 and redis.call('LREM', KEYS[1], -1, id) == 0 then answers[at] = -3
  elseif answer == 0 then
    redis.call('HSET', base .. id, 'returnvalue', ARGV[i + 2], 'finishedOn', now, 'atm', ARGV[i + 3])
    freed[#freed + 1] = locks[at]
    ids[#ids + 1] = id
    scores[#scores + 1] = now
    scores[#scores + 1] = id
  end
end
if #ids > 0 then
  redis.call('ZADD', KEYS[2], unpack(scores))
  redis.call('DEL', unpack(freed))
end
return answers`

// KEYS: completed, expires, ids, parked, cancelled. ARGV: what job keys begin with, now, until when they must be allowed to go, how long those that have run are
// remembered, the date of those that haven't, then ids. As removeJob does it with one that has no children. Answers for each 1, or 0 where it is no task of ours that is done, or may not go.
export const deleteAll = `
local base, now, due, remembered = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ids = { unpack(ARGV, 6) }
local locks, answers, gone, keys, recent = {}, {}, {}, {}, {}
for at, id in ipairs(ids) do
  locks[at] = base .. id .. ':lock'
  answers[at] = 0
end
if redis.call('EXISTS', unpack(locks)) > 0 then return answers end
local completed = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local expiries = redis.call('ZMSCORE', KEYS[2], unpack(ids))
for at, id in ipairs(ids) do
  local mayGo = completed[at] and (not expiries[at] or tonumber(expiries[at]) <= due)
  local fields = mayGo and redis.pcall('HMGET', base .. id, 'name', 'parentKey', 'parent', 'deid', 'finishedOn')
  if fields and fields[1] and not (fields[2] or fields[3] or fields[4]) then
    answers[at] = 1
    gone[#gone + 1] = id
    keys[#keys + 1] = base .. id
    keys[#keys + 1] = base .. id .. ':logs'
    local left = (tonumber(fields[5]) or 0) + remembered - now
    if left > 0 and expiries[at] ~= ARGV[5] then recent[base .. id .. ':gone'] = left end
  end
end
if #gone == 0 then return answers end
-- First what a full Redis does too: it does the rest then.
for _, key in ipairs(KEYS) do redis.call('ZREM', key, unpack(gone)) end
redis.call('DEL', unpack(keys))
for key, left in pairs(recent) do redis.call('SET', key, '', 'PX', left) end
return answers`
