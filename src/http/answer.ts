import type { Readable } from 'node:stream'

/** A reply on its way out: complete and serialised before anything is stored or sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Before serialisation; undefined for none. Checked against the spec when `json`. */
  readonly body: unknown
  /** The body is a JSON value, to be serialised; otherwise it is sent as it is. */
  readonly json: boolean
  /** What goes over the wire. Set by the stage `serialise` for JSON. */
  payload: string | Uint8Array | Readable | undefined
  /** The code of the error, where it is one. */
  readonly error: string | undefined
}
