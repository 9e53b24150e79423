import { validateHeaderName, validateHeaderValue } from '../core/node-http.ts'

/** What is wrong with a header that is to be sent with calls; never its value. */
export function headerFault(name: string, value: unknown): string | undefined {
  if (framing.has(name.toLowerCase())) return 'is set by the client itself'
  if (typeof value !== 'string') return 'must be a text'
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return undefined
  } catch {
    return 'is no header: its name or its value has characters that none can have'
  }
}

/** What frames the message is the client's own. */
const framing = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
])
