/**
 * KEYS states, ARGV their values (`<version>:…`), then 0, or 1 where what is as new as what is there
 * and not the same replaces it. Writes each that is newer; reads no more of what is older or newer
 * than its version. Answers 1 or 0 for each.
 */
export const WRITE_STATES = `local written = {}
for i, key in ipairs(KEYS) do
  local held = tonumber(string.match(redis.call('GETRANGE', key, 0, 16), '^(%d+):'))
  local given = tonumber(string.match(ARGV[i], '^(%d+):'))
  if held and (held > given or
    held == given and (ARGV[#KEYS + 1] == '0' or redis.call('GET', key) == ARGV[i])) then
    written[i] = 0
  else
    redis.call('SET', key, ARGV[i])
    written[i] = 1
  end
end
return written`;

const REPLACE_OLDER_META = `if held and tonumber(string.match(held, '^{"revision":(%d+)') or 0) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

/** KEYS meta; ARGV meta, revision. Answers 1, or 0 where there is no meta or none that is older. */
export const REFRESH_META = `local held = redis.call('GET', KEYS[1])
if not held then return 0 end
${REPLACE_OLDER_META}`;

/** KEYS meta, filling; ARGV meta, revision, generation. Answers 0 where the marker is gone, too. */
export const END_FILLING = `if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
redis.call('DEL', KEYS[2])
local held = redis.call('GET', KEYS[1])
${REPLACE_OLDER_META}`;

/** KEYS waiting requests, ARGV for each the numbers of its visible parts. */
export const MARK_APPLIED = `for i, key in ipairs(KEYS) do
  for part in string.gmatch(ARGV[i], '%d+') do redis.call('SADD', key, part) end
  redis.call('EXPIRE', key, 60)
end
return 1`;
