import type { IncomingHttpHeaders } from 'node:http'
import type { Context } from '../core/context.ts'

/** The trace that a request belongs to (W3C Trace Context), as it is passed on: no span of our own is made. */
export function traceOf(headers: IncomingHttpHeaders): Pick<Context, 'trace' | 'traceState'> {
  const { traceparent, tracestate } = headers
  if (typeof traceparent !== 'string' || !isTraceParent(traceparent)) return none
  if (tracestate === undefined) return { trace: traceparent, traceState: undefined }
  return { trace: traceparent, traceState: traceStateOf([tracestate].flat().join(',')) }
}

const none = { trace: undefined, traceState: undefined }

/** Version, trace, parent and flags; ids of zeros alone and version ff are none (§3.2). */
function isTraceParent(text: string): boolean {
  return /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.test(text)
}

/** What is kept of a list of vendors' entries; nothing, where it isn't one, names a vendor twice, or has more than 32 (§3.3.1). */
function traceStateOf(text: string): string | undefined {
  const entries = text.split(',', 10 * mostEntries).flatMap((part) => part.trim() || [])
  const keys = new Set(entries.map((entry) => entry.slice(0, entry.indexOf('='))))
  const isList = entries.every((entry) => traceEntry.test(entry))
  if (!isList || keys.size < entries.length || entries.length > mostEntries) return undefined
  return shortened(entries) || undefined
}

const mostEntries = 32
/** A key, or a key at its tenant's, and a value that doesn't end in a space. */
const traceEntry =
  /^[a-z\d][a-z\d_*/-]{0,255}(?:@[a-z][a-z\d_*/-]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** Within 512 characters, as far as everybody passes it on: entries of more than 128 go first, then the last ones (§3.3.1.5). */
function shortened(entries: readonly string[]): string {
  const whole = entries.join(',')
  if (whole.length <= mostChars) return whole
  const short = entries.filter(({ length }) => length <= longEntry)
  while (short.join(',').length > mostChars) short.pop()
  return short.join(',')
}

const mostChars = 512
const longEntry = 128
