import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** The caller's call id (`x-call-id`, or PyMacaron's `PymCallID`) where it is fit for log lines and headers, else a new one. */
export function callIdOf(headers: IncomingHttpHeaders): string {
  const sent = headers['x-call-id'] ?? headers.pymcallid
  return typeof sent === 'string' && sane.test(sent) ? sent : randomUUID()
}

const sane = /^[\w.:/+=-]{1,128}$/
