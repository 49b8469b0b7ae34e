import type { FanoutCommand } from '../ports/fanout.ts';

/** The stream is capped at some thousands of frames, and this is rare: one look through all of it. */
const SCRUB = `
local entries = redis.call('XRANGE', KEYS[1], '-', '+')
local gone = 0
local place = '"session_id":' .. ARGV[2] .. ','
for _, entry in ipairs(entries) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == ARGV[1] and string.find(fields[i + 1], place, 1, true) then
      local ok, frame = pcall(cjson.decode, fields[i + 1])
      if ok and type(frame) == 'table' and frame.type ~= 'chat.erased' and frame.session_id == tonumber(ARGV[2])
        and (type(frame.seq) ~= 'number' or frame.seq <= tonumber(ARGV[3])) then
        gone = gone + redis.call('XDEL', KEYS[1], entry[1])
      end
    end
  end
end
return gone`;

/** A command of the fan-out as Redis takes it. `publish`: PUBLISH, or SPUBLISH to the shard that owns the channel. */
export function encodeCommand(command: FanoutCommand, prefix: string, publish: 'PUBLISH' | 'SPUBLISH'): string[] {
  if (command.kind === 'publish') return [publish, prefix + command.channel, command.payload];
  if (command.kind === 'scrub')
    return [
      'EVAL',
      SCRUB,
      '1',
      prefix + command.stream,
      command.field,
      String(command.sessionId),
      String(command.throughSeq),
    ];
  const { stream, maxLength, field, payload } = command;
  return ['XADD', prefix + stream, 'MAXLEN', '~', String(maxLength), '*', field, payload];
}
