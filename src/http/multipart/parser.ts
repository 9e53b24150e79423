import { type PartHead, readHead } from './part-head.ts'
import { unreadable } from './unreadable.ts'

/** Who takes the content of a part. */
export interface PartSink {
  /** Takes the next bytes, which are its own only until it has; a promise holds back those that follow. */
  write(bytes: Buffer): Promise<void> | undefined
  /** The part is complete. */
  end(): void
}

/**
 * Cuts a `multipart/form-data` body (RFC 7578, RFC 2046 §5.1) into parts while it arrives. Keeps no more of it than a part's header or a boundary that may
 * have begun. Strict: what could be read in two ways is refused.
 */
export class MultipartParser {
  readonly #delimiter: Buffer
  readonly #onPart: (head: PartHead) => PartSink
  #state: 'before' | 'boundary' | 'head' | 'content' | 'after' = 'before'
  /** A line break goes before the first boundary too, so that all are found alike. */
  #rest: Buffer = Buffer.from('\r\n')
  #sink: PartSink | undefined

  constructor(boundary: string, onPart: (head: PartHead) => PartSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
    this.#onPart = onPart
  }

  /** Takes the next bytes of the body. @throws RequestError 400 `FORM_UNREADABLE`, and what sinks throw. */
  async write(bytes: Buffer): Promise<void> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (await this.#step());
  }

  /** The body has ended. @throws RequestError 400 `FORM_UNREADABLE` where a part hasn't. */
  end(): void {
    if (this.#state !== 'after') throw unreadable('it ends before its last boundary')
  }

  /** One step further; false where that takes more bytes. */
  #step(): boolean | Promise<boolean> {
    switch (this.#state) {
      case 'before':
        return this.#skipTo('boundary')
      case 'boundary':
        return this.#boundary()
      case 'head':
        return this.#head()
      case 'content':
        return this.#content()
      case 'after':
        this.#rest = nothing
        return false
    }
  }

  #skipTo(next: 'boundary'): boolean {
    const at = this.#rest.indexOf(this.#delimiter)
    if (at === -1) {
      this.#rest = this.#rest.subarray(-(this.#delimiter.length - 1))
      return false
    }
    this.#advance(at + this.#delimiter.length, next)
    return true
  }

  /** Behind a boundary: another part, or the end; spaces before the line break are padding. */
  #boundary(): boolean {
    const [first, second] = this.#rest
    if (first === space || first === tab) {
      this.#advance(1, 'boundary')
      return true
    }
    if (second === undefined) return false
    if (first === dash && second === dash) this.#advance(2, 'after')
    else if (first === carriageReturn && second === lineFeed) this.#advance(2, 'head')
    else throw unreadable('a boundary is followed by something else than a line break')
    return true
  }

  #head(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end > mostHeadBytes || (end === -1 && this.#rest.length > mostHeadBytes)) {
      throw unreadable(`the header of a part is longer than ${mostHeadBytes} bytes`)
    }
    if (this.#rest[0] === carriageReturn) throw unreadable('a part has no header')
    if (end === -1) return false
    this.#sink = this.#onPart(readHead(this.#rest.subarray(0, end)))
    this.#advance(end + 4, 'content')
    return true
  }

  async #content(): Promise<boolean> {
    const at = this.#rest.indexOf(this.#delimiter)
    const length = at === -1 ? this.#rest.length - this.#delimiter.length + 1 : at
    if (length > 0) await this.#sink?.write(this.#rest.subarray(0, length))
    if (at === -1) {
      if (length > 0) this.#advance(length, 'content')
      return false
    }
    this.#sink?.end()
    this.#advance(at + this.#delimiter.length, 'boundary')
    return true
  }

  #advance(bytes: number, state: 'boundary' | 'head' | 'content' | 'after'): void {
    this.#rest = this.#rest.subarray(bytes)
    this.#state = state
  }
}

const nothing = Buffer.alloc(0)
const mostHeadBytes = 8192
const space = 0x20
const tab = 0x09
const dash = 0x2d
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** The boundary that a Content-Type names (RFC 2046: 1 to 70 characters). @throws RequestError 400 `FORM_UNREADABLE`. */
export function boundaryOf(contentType: string): string {
  const [, quoted, token] = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? token ?? ''
  if (/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) return boundary
  throw unreadable('its Content-Type has no boundary of 1 to 70 characters')
}
