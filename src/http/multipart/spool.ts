import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { asError, MacaronError } from '../../core/errors.ts'
import { tolerant } from '../unread.ts'

/** The bytes that the files of one request may keep in memory together; the rest is on disk. */
const mostInMemory = 65_536

/**
 * The files of one request while it is served, written one after the other: first into memory, then into one file on disk that lost its name as soon as it was made,
 * so that whatever becomes of this process, nothing is left behind. However many they are, they take one descriptor.
 */
export class Spool {
  #memoryLeft = mostInMemory
  #disk: Promise<FileHandle> | undefined
  #diskBytes = 0
  #isClosed = false
  /** What each file has in memory. */
  readonly #inMemory: Buffer[][] = []

  newFile(): SpooledFile {
    const pieces: Buffer[] = []
    this.#inMemory.push(pieces)
    return new SpooledFile(this, pieces)
  }

  /** Whether these bytes may stay in memory. */
  takesInMemory(bytes: number): boolean {
    if (bytes > this.#memoryLeft) return false
    this.#memoryLeft -= bytes
    return true
  }

  /** Writes bytes behind all others on disk; gives where they begin. @throws MacaronError `FILE_CLOSED`, 503 `FILE_UNSTORABLE`. */
  async append(bytes: Buffer): Promise<number> {
    this.checkOpen()
    try {
      this.#disk ??= openNameless()
      const handle = await this.#disk
      await handle.appendFile(bytes)
    } catch (cause) {
      this.checkOpen()
      const error = asError(cause)
      throw unstorable(error.message, error)
    }
    const start = this.#diskBytes
    this.#diskBytes += bytes.length
    return start
  }

  /** Bytes from disk. @throws MacaronError `FILE_CLOSED`, 503 `FILE_UNSTORABLE` where there are none. */
  async readAt(position: number, length: number): Promise<Buffer> {
    const handle = await this.#disk
    this.checkOpen()
    const buffer = Buffer.allocUnsafe(length)
    const read = await handle?.read({ buffer, position }).catch((error: unknown) => {
      this.checkOpen()
      throw error
    })
    // Beyond what was read, the buffer holds memory of others.
    if (read === undefined || read.bytesRead === 0) throw unstorable('less was written than it holds')
    return buffer.subarray(0, read.bytesRead)
  }

  /** @throws MacaronError `FILE_CLOSED` where the request has been answered. */
  checkOpen(): void {
    if (this.#isClosed) throw fileClosed()
  }

  /** Frees disk and memory, and takes nothing from then on; streams that are still read fail. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    // Whoever keeps a file keeps none of its bytes.
    for (const pieces of this.#inMemory) pieces.length = 0
    const handle = await this.#disk?.catch(() => undefined)
    await handle?.close().catch(() => undefined)
  }
}

/** One file: written once from beginning to end, before the next one is begun, then read any number of times. */
export class SpooledFile {
  readonly #spool: Spool
  /** Its beginning. */
  readonly #pieces: Buffer[]
  #inMemory = 0
  /** Where the rest of it begins on disk. */
  #start: number | undefined
  #size = 0

  constructor(spool: Spool, pieces: Buffer[]) {
    this.#spool = spool
    this.#pieces = pieces
  }

  get size(): number {
    return this.#size
  }

  /** Takes the next bytes. @throws MacaronError `FILE_CLOSED`, 503 `FILE_UNSTORABLE`. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#spool.checkOpen()
    this.#size += bytes.length
    if (this.#start !== undefined || !this.#spool.takesInMemory(bytes.length)) return this.#toDisk(bytes)
    this.#inMemory += bytes.length
    // A copy: what was received may hang on a far larger buffer.
    this.#pieces.push(Buffer.from(bytes))
    return undefined
  }

  /** Counts bytes that nobody will read. */
  skip(bytes: Buffer): undefined {
    this.#size += bytes.length
  }

  /** The bytes from the beginning. Fails with `FILE_CLOSED` once the request has been answered. */
  stream(): Readable {
    let position = 0
    const readable = new Readable({
      read: (wanted) => {
        this.#read(position, wanted).then(
          (bytes) => {
            position += bytes?.length ?? 0
            readable.push(bytes)
          },
          (error: unknown) => readable.destroy(asError(error)),
        )
      },
    })
    return tolerant(readable)
  }

  async #toDisk(bytes: Buffer): Promise<void> {
    const start = await this.#spool.append(bytes)
    this.#start ??= start
  }

  async #read(position: number, wanted: number): Promise<Buffer | null> {
    this.#spool.checkOpen()
    if (position >= this.#size) return null
    if (position < this.#inMemory) return Buffer.concat(this.#pieces).subarray(position)
    const onDisk = position - this.#inMemory
    return await this.#spool.readAt((this.#start ?? 0) + onDisk, Math.min(wanted, this.#size - position))
  }
}

/** A file without a name: it is gone when it is closed, or when this process dies. */
async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `macaron-upload-${randomUUID()}`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

function unstorable(why: string, cause?: Error): MacaronError {
  return new MacaronError('FILE_UNSTORABLE', `An uploaded file could not be kept in ${tmpdir()}: ${why}`, {
    status: 503,
    cause,
  })
}

/** Who reads a file when its request has been answered. */
export function fileClosed(): MacaronError {
  return new MacaronError(
    'FILE_CLOSED',
    'The request has been answered, and its files are gone: read a file before the handler returns, or keep its bytes',
  )
}
