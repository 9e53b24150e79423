import { asError, MessageError } from '../../core/errors.ts'
import type { ModelCodec } from '../codec.ts'
import { setOwn } from './encoder.ts'
import { untag } from './untag.ts'

/** Turns what JSON.parse has read back into the value that was encoded. @throws MessageError `UNDECODABLE`. */
export function revive(value: unknown, models: ModelCodec): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => revive(item, models))
  // What JSON.parse made and is neither null nor a list is a plain object.
  const object = value as Record<string, unknown>
  if (!Object.hasOwn(object, '$')) return reviveProperties(object, models)
  if (object.$ === 'model') return reviveModel(object, models)
  return untag(object, (part) => revive(part, models))
}

function reviveProperties(object: object, models: ModelCodec): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) {
    setOwn(result, key.startsWith('$$') ? key.slice(1) : key, revive(value, models))
  }
  return result
}

function reviveModel({ api, name, v }: Record<string, unknown>, models: ModelCodec): object {
  if (typeof api !== 'string' || typeof name !== 'string' || typeof v !== 'object' || v === null) {
    throw new MessageError('undecodable', 'A model in the stored value lacks its api, name or data')
  }
  const own = reviveProperties(v, models)
  try {
    return models.revive(api, name, own)
  } catch (error) {
    throw new MessageError(
      'undecodable',
      `The stored value holds a model ${api}.${name}, which can't be made here: ${asError(error).message}`,
      { cause: error },
    )
  }
}
