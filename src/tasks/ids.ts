import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let used = pool.length
let lastMs = 0
let sequence = 0
let prefix = ''

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds, a 12-bit counter so that ids of one process sort in the order they were made,
 * 62 random bits. `now` is ms since epoch; a clock that steps back keeps counting from the last time.
 */
export function newTaskId(now: number): string {
  if (now > lastMs) startMillisecond(now)
  else if (++sequence > 0xfff) startMillisecond(lastMs + 1)
  return prefix + sequence.toString(16).padStart(3, '0') + randomTail()
}

function startMillisecond(ms: number): void {
  lastMs = ms
  sequence = 0
  const hex = ms.toString(16).padStart(12, '0')
  prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`
}

/** `-` variant (two bits 10) and 62 random bits. */
function randomTail(): string {
  if (used + 8 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  pool[used] = ((pool[used] ?? 0) & 0x3f) | 0x80
  const hex = pool.toString('hex', used, used + 8)
  used += 8
  return `-${hex.slice(0, 4)}-${hex.slice(4)}`
}
