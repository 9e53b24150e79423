import { isUtf8 } from 'node:buffer'
import { RequestError } from '../../core/errors.ts'
import { UploadedFile } from '../../core/uploaded-file.ts'
import type { FileField, ReceivedForm } from '../../spec/api.ts'
import { receive } from '../body.ts'
import type { BodyLimits } from '../body-limits.ts'
import type { Exchange } from '../exchange.ts'
import { boundaryOf, MultipartParser, type PartSink } from './parser.ts'
import type { PartHead } from './part-head.ts'
import { Spool } from './spool.ts'
import { unreadable } from './unreadable.ts'

/**
 * Receives a multipart form: fields that the operation declares as files go to the request's spool, all other texts into memory, within `body_limit` together. Files
 * that nobody declared are thrown away as they come. What a part is, is decided by the spec and not by the caller.
 * @throws RequestError 400 `FORM_UNREADABLE`, `BODY_INCOMPLETE`; 413 `BODY_TOO_LARGE`, `FILE_TOO_LARGE`, `FORM_TOO_MANY_PARTS`.
 */
export async function receiveForm(
  exchange: Exchange,
  fields: ReadonlyMap<string, FileField>,
  limits: BodyLimits,
): Promise<ReceivedForm> {
  const boundary = boundaryOf(exchange.request.raw.headers['content-type'] ?? '')
  const form = new FormReceiver(fields, limits)
  exchange.onLeave(() => form.spool.close())
  const parser = new MultipartParser(boundary, (head) => form.part(head))
  const take = (bytes: Buffer) => parser.write(bytes)
  await receive(exchange, { limit: limits.upload, take, end: () => parser.end() })
  return form
}

class FormReceiver implements ReceivedForm {
  readonly spool = new Spool()
  readonly texts = new Map<string, string[]>()
  readonly files = new Map<string, UploadedFile[]>()
  readonly #fields: ReadonlyMap<string, FileField>
  readonly #limits: BodyLimits
  #parts = 0
  #textBytes = 0

  constructor(fields: ReadonlyMap<string, FileField>, limits: BodyLimits) {
    this.#fields = fields
    this.#limits = limits
  }

  part(head: PartHead): PartSink {
    this.#parts += 1
    if (this.#parts > this.#limits.parts) throw tooManyParts(this.#limits.parts)
    const field = this.#fields.get(head.name)
    if (field !== undefined) return this.#file(head, field)
    return head.filename === undefined || head.type === 'application/json' ? this.#text(head) : thrownAway
  }

  #file({ name, filename = '', type }: PartHead, field: FileField): PartSink {
    const file = this.spool.newFile()
    const limit = Math.min(this.#limits.file, field.maxBytes ?? this.#limits.file)
    // A second file where one is taken is a fault, told beside all others: its bytes need not be kept.
    const isKept = field.many || !this.files.has(name)
    return {
      write: (bytes) => {
        if (file.size + bytes.length > limit) throw fileTooLarge(`The file "${name}"`, limit)
        return isKept ? file.write(bytes) : file.skip(bytes)
      },
      end: () => {
        // What a browser sends where no file was chosen.
        if (filename === '' && file.size === 0) return
        const facts = { name: filename === '' ? undefined : filename, type, size: file.size, limit }
        listAt(this.files, name).push(new UploadedFile(facts, () => file.stream()))
      },
    }
  }

  #text({ name }: PartHead): PartSink {
    const pieces: Buffer[] = []
    return {
      write: (bytes) => {
        this.#textBytes += bytes.length
        if (this.#textBytes > this.#limits.body) throw textsTooLarge(this.#limits.body)
        pieces.push(Buffer.from(bytes))
        return undefined
      },
      end: () => {
        const whole = Buffer.concat(pieces)
        if (!isUtf8(whole)) throw unreadable(`the field "${name.slice(0, 100)}" is not UTF-8`)
        listAt(this.texts, name).push(encodeURIComponent(whole.toString('utf8')))
      },
    }
  }
}

const thrownAway: PartSink = { write: () => undefined, end: () => undefined }

function listAt<T>(map: Map<string, T[]>, name: string): T[] {
  const known = map.get(name)
  if (known !== undefined) return known
  const list: T[] = []
  map.set(name, list)
  return list
}

/** A form with more fields than are taken. */
export function tooManyParts(most: number): RequestError {
  return new RequestError(
    'FORM_TOO_MANY_PARTS',
    `The form has more than the ${most} parts that are accepted`,
    {
      status: 413,
    },
  )
}

function textsTooLarge(most: number): RequestError {
  return new RequestError(
    'BODY_TOO_LARGE',
    `The texts of the form take more than the ${most} bytes that are accepted`,
    {
      status: 413,
    },
  )
}

/** A file over its limit. */
export function fileTooLarge(what: string, limit: number): RequestError {
  return new RequestError('FILE_TOO_LARGE', `${what} is larger than the ${limit} bytes that are accepted`, {
    status: 413,
  })
}
