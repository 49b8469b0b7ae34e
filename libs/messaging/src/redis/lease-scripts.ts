import { RedisScript } from './script.ts';

/**
 * What a lease is in Redis: a hash per limited key and one per group, both with a field per holder, whose value is JSON
 * with the owner (a gateway). Entries of an owner whose heartbeat key is gone count for nothing and are removed when
 * met. The keys of heartbeats and of displaced holders are made up inside, so in a Redis Cluster all of them share a
 * hash tag.
 *
 * Redis loses nothing by forgetting these keys: owners register again what they hold.
 */

/** What both scripts need: live entries of a hash, removal of a holder from key and group. */
const COMMON = `
local heartbeat_prefix, key_prefix, group_prefix, owner = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local alive = { [owner] = true }
local function lives(other)
  if alive[other] == nil then alive[other] = redis.call('EXISTS', heartbeat_prefix .. other) == 1 end
  return alive[other]
end
local function load(hash)
  local entries, raw = {}, redis.call('HGETALL', hash)
  for i = 1, #raw, 2 do
    local entry = cjson.decode(raw[i + 1])
    if lives(entry.owner) then entries[raw[i]] = entry else redis.call('HDEL', hash, raw[i]) end
  end
  return entries
end
local function remove(holder, entry)
  redis.call('HDEL', key_prefix .. entry.key, holder)
  if entry.group ~= '' then redis.call('HDEL', group_prefix .. entry.group, holder) end
end
`;

/**
 * ARGV 5 key, 6 holder, 7 limit, 8 replaces, 9 group, 10 member, 11 group limit, 12 TTL ms. Answers 'key', 'group', or
 * {'ok', displaced…}.
 */
export const ACQUIRE = new RedisScript(`${COMMON}
local key, holder, limit, replaces = ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]
local group, member, group_limit, ttl = ARGV[9], ARGV[10], tonumber(ARGV[11]), ARGV[12]
local holders, displaced, count = load(key_prefix .. key), {}, 0
for name in pairs(holders) do count = count + 1 end
if replaces ~= '' and replaces ~= holder and holders[replaces] then
  displaced[replaces] = holders[replaces]
  count = count - 1
end
if not holders[holder] then
  if count >= limit then
    local stale
    for name, entry in pairs(holders) do
      if entry.stale and not displaced[name] then stale = name break end
    end
    if not stale then return { 'key' } end
    displaced[stale] = holders[stale]
  end
  if group ~= '' then
    local members, size = {}, 0
    local entries = load(group_prefix .. group)
    for name, entry in pairs(entries) do
      if not members[entry.member] then
        members[entry.member] = { stale = true, holders = {} }
        size = size + 1
      end
      local found = members[entry.member]
      found.stale = found.stale and entry.stale
      table.insert(found.holders, name)
    end
    if not members[member] and size >= group_limit then
      local victim
      for name, found in pairs(members) do
        if found.stale then victim = found break end
      end
      if not victim then return { 'group' } end
      for _, name in ipairs(victim.holders) do displaced[name] = entries[name] end
    end
  end
end
local answer = { 'ok' }
for name, entry in pairs(displaced) do
  remove(name, entry)
  table.insert(answer, name)
end
local value = cjson.encode({ owner = owner, key = key, group = group, member = member, stale = false })
redis.call('HSET', key_prefix .. key, holder, value)
redis.call('PEXPIRE', key_prefix .. key, ttl)
if group ~= '' then
  redis.call('HSET', group_prefix .. group, holder, value)
  redis.call('PEXPIRE', group_prefix .. group, ttl)
end
return answer
`);

/**
 * ARGV 5 key, 6 holder, 7 '1' or '0'. Only where the holder still has its slot: one that was displaced must not come
 * back.
 */
export const SET_STALE = new RedisScript(`${COMMON}
local raw = redis.call('HGET', key_prefix .. ARGV[5], ARGV[6])
if not raw then return 0 end
local entry = cjson.decode(raw)
entry.stale = ARGV[7] == '1'
local value = cjson.encode(entry)
redis.call('HSET', key_prefix .. entry.key, ARGV[6], value)
if entry.group ~= '' and redis.call('HEXISTS', group_prefix .. entry.group, ARGV[6]) == 1 then
  redis.call('HSET', group_prefix .. entry.group, ARGV[6], value)
end
return 1
`);

/** ARGV 5 key, 6 holder. */
export const RELEASE = new RedisScript(`${COMMON}
local raw = redis.call('HGET', key_prefix .. ARGV[5], ARGV[6])
if not raw then return 0 end
remove(ARGV[6], cjson.decode(raw))
return 1
`);
