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
 * The files of one request while it is served: small ones in memory, others in files that lost their names as soon as they were made, so that whatever
 * becomes of this process, nothing is left behind.
 */
export class Spool {
  readonly #files: SpooledFile[] = []
  #memoryLeft = mostInMemory

  newFile(): SpooledFile {
    const file = new SpooledFile((bytes) => this.#takesInMemory(bytes))
    this.#files.push(file)
    return file
  }

  /** Frees everything; streams that are still read fail. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()))
  }

  #takesInMemory(bytes: number): boolean {
    if (bytes > this.#memoryLeft) return false
    this.#memoryLeft -= bytes
    return true
  }
}

/** One file: written once from beginning to end, then read any number of times. */
export class SpooledFile {
  readonly #takesInMemory: (bytes: number) => boolean
  readonly #pieces: Buffer[] = []
  #onDisk: Promise<FileHandle> | undefined
  #isClosed = false
  #size = 0

  constructor(takesInMemory: (bytes: number) => boolean) {
    this.#takesInMemory = takesInMemory
  }

  get size(): number {
    return this.#size
  }

  /** Takes the next bytes. @throws MacaronError 503 `FILE_UNSTORABLE`. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#size += bytes.length
    if (this.#onDisk !== undefined || !this.#takesInMemory(bytes.length)) return this.#toDisk(bytes)
    // A copy: what was received may hang on a far larger buffer.
    this.#pieces.push(Buffer.from(bytes))
    return undefined
  }

  /** The bytes from the beginning. Fails with `FILE_CLOSED` once the file is closed. */
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

  /** Frees memory and disk. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#pieces.length = 0
    const handle = await this.#onDisk?.catch(() => undefined)
    await handle?.close().catch(() => undefined)
  }

  async #toDisk(bytes: Buffer): Promise<void> {
    try {
      if (this.#onDisk === undefined) {
        this.#onDisk = openNameless()
        const handle = await this.#onDisk
        for (const piece of this.#pieces.splice(0)) await handle.appendFile(piece)
      }
      const handle = await this.#onDisk
      await handle.appendFile(bytes)
    } catch (cause) {
      throw new MacaronError(
        'FILE_UNSTORABLE',
        `An uploaded file could not be kept in ${tmpdir()}: ${asError(cause).message}`,
        { status: 503, cause },
      )
    }
  }

  async #read(position: number, wanted: number): Promise<Buffer | null> {
    if (this.#isClosed) throw fileClosed()
    if (position >= this.#size) return null
    if (this.#onDisk === undefined) return Buffer.concat(this.#pieces).subarray(position)
    const handle = await this.#onDisk
    const buffer = Buffer.allocUnsafe(Math.min(wanted, this.#size - position))
    const { bytesRead } = await handle.read({ buffer, position }).catch((error: unknown) => {
      throw this.#isClosed ? fileClosed() : error
    })
    return buffer.subarray(0, bytesRead)
  }
}

/** A file without a name: it is gone when it is closed, or when this process dies. */
async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `macaron-upload-${randomUUID()}`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

/** Who reads a file when its request has been answered. */
export function fileClosed(): MacaronError {
  return new MacaronError(
    'FILE_CLOSED',
    'The request has been answered, and its files are gone: read a file before the handler returns, or keep its bytes',
  )
}
