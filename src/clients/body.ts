/** The body of a call as it is sent. */

export interface SentBody {
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** A body as JSON; undefined where there is none. */
export function encodeBody(body: unknown): SentBody | undefined {
  if (body === undefined) return undefined
  return { bytes: Buffer.from(JSON.stringify(body)), headers: { 'content-type': 'application/json' } }
}
