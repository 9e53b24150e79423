import type { Api, JsonSchema } from './api.ts'
import { valueAt } from './pointers.ts'

/** The schema that a reference of an Api (`#/schemas/…`, `#/parts/…`) means. */
export function resolve(api: Pick<Api, 'schemas' | 'parts'>, ref: string): JsonSchema {
  // Such references are pointers into the Api, checked when the spec was read; where nothing stands, anything is allowed.
  return (valueAt(api, ref.slice(1)) ?? true) as JsonSchema
}
