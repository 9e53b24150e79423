import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

/** What is known of a file before it is read. */
export interface FileFacts {
  /** As the caller says, without folders; undefined where he says none. Don't use it as a path. */
  readonly name: string | undefined
  /** The media type that the caller says, in lower case and without parameters. */
  readonly type: string
  /** In bytes; undefined where the file is still on its way. */
  readonly size: number | undefined
  /** Most bytes that it may have. */
  readonly limit: number
}

/**
 * A file that came with a request: a field of a multipart form, or a body of a type that is neither JSON nor text. It is there until the request has been
 * answered.
 */
export class UploadedFile implements FileFacts {
  readonly name: string | undefined
  readonly type: string
  readonly size: number | undefined
  readonly limit: number
  readonly #open: () => Readable

  constructor({ name, type, size, limit }: FileFacts, open: () => Readable) {
    this.name = name
    this.type = type
    this.size = size
    this.limit = limit
    this.#open = open
  }

  /**
   * The file's bytes. A field's file can be read any number of times, a body only once (`FILE_CONSUMED`). The stream fails with 413 `FILE_TOO_LARGE` and 400
   * `BODY_INCOMPLETE` where the file is still on its way, and with `FILE_CLOSED` once the request has been answered.
   */
  stream(): Readable {
    return this.#open()
  }

  /** The whole file; at most `limit` bytes. @throws what `stream` fails with. */
  async buffer(): Promise<Buffer> {
    return await buffer(this.#open())
  }

  /** The whole file as UTF-8 text. @throws what `stream` fails with. */
  async text(): Promise<string> {
    return (await this.buffer()).toString('utf8')
  }

  /** What is known of it, for logs. */
  toJSON(): FileFacts {
    const { name, type, size, limit } = this
    return { name, type, size, limit }
  }
}
