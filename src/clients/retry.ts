import { setTimeout as delay } from 'node:timers/promises'
import { SendError, type WireReply } from './wire.ts'

/**
 * Whether a call is tried again, and when. Only what can't have been done twice: a request of which nothing was sent, or one of an idempotent method
 * (RFC 9110 §9.2.2).
 */

/** What one try came to. */
export type Tried = { readonly reply: WireReply } | { readonly error: unknown }

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])

/** Statuses that say "later": of a gateway, or of a service that is overloaded or stopping. */
const passing = new Set([502, 503, 504])

/** Failures of a connection that may be gone at the next try; a wrong certificate or an unknown host will not be. */
const passingReasons = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'EPIPE',
])

/** How long to wait before the next try, in ms; undefined where there must be none. `tries` counts those made. */
export function pauseBefore(method: string, tried: Tried, tries: number): number | undefined {
  if ('reply' in tried) {
    if (!idempotent.has(method) || !passing.has(tried.reply.status)) return undefined
    return retryAfter(tried.reply.headers['retry-after']) ?? backoff(tries)
  }
  const { error } = tried
  if (!(error instanceof SendError) || error.stage === 'unreadable') return undefined
  if (error.stage === 'connect') return passingReasons.has(error.reason ?? '') ? backoff(tries) : undefined
  return idempotent.has(method) ? backoff(tries) : undefined
}

/** The milliseconds of a Retry-After: seconds, or a date (RFC 9110 §10.2.3). */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

const firstPauseMs = 100
const longestPauseMs = 5000

/** Twice as long each time, and by chance between half of it and all of it, so that many clients don't come back at once. */
function backoff(tries: number): number {
  const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1))
  return ms * (0.5 + Math.random() / 2)
}

/** Waits; rejects with the signal's reason when that aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    throw signal.reason
  }
}
