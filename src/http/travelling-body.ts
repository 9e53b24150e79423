import { UploadedFile } from '../core/uploaded-file.ts'
import type { BodyContent, ReceivedForm } from '../spec/api.ts'
import { decoded } from '../spec/raw-query.ts'

/** Bytes of a body that travels with the tasks of its request. */
export const mostTravelling = 16 * 1024

/**
 * What of a body that is no JSON travels with tasks: a text; the fields of a form as they were sent, in their order for as long as there is room, and its
 * files by name, type and size.
 */
export function travellingBody(kind: BodyContent['kind'], body: unknown): unknown {
  if (body instanceof UploadedFile) return factsOf(body)
  if (typeof body === 'string') return Buffer.byteLength(body) > mostTravelling ? undefined : body
  if ((kind !== 'form' && kind !== 'multipart') || body === undefined) return undefined
  // The parse stage gives no other body for a form.
  const { texts, files } = body as ReceivedForm
  const fields = {}
  let room = mostTravelling
  for (const [name, encoded] of texts) {
    if (name === prototypeKey) continue
    room -= name.length + encoded.reduce((sum, text) => sum + text.length, 0)
    if (room < 0) break
    Reflect.set(fields, name, single(encoded.map((text) => decoded(text) ?? text)))
  }
  for (const [name, received] of files) {
    if (name === prototypeKey) continue
    room -= name.length + 100 * received.length
    if (room < 0) break
    Reflect.set(fields, name, single(received.map(factsOf)))
  }
  return fields
}

/** Copied by a handler, a field of that name would become a prototype. */
const prototypeKey = '__proto__'

function single<T>(list: readonly T[]): T | readonly T[] | undefined {
  return list.length === 1 ? list[0] : list
}

function factsOf({ name, type, size }: UploadedFile): object {
  return {
    ...(name === undefined ? {} : { name: name.slice(0, 255) }),
    type: type.slice(0, 255),
    ...(size === undefined ? {} : { size }),
  }
}
