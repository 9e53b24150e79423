import type { BodyContent, FieldEncoding } from './api.ts'
import { isJsonMedia } from './dialect.ts'
import { queryPairs, writePair } from './encode.ts'
import { isScalar, membersOf, scalarText } from './write-text.ts'

/**
 * The fields of a form as `name=text`, percent-encoded: the counterpart of form-fields.ts. Lists repeat their name and objects are JSON, unless the spec
 * gives a field a style of its own. `isFile` names the fields that are left out.
 */
export function formPairs(
  { encoding }: Pick<BodyContent, 'encoding'>,
  values: object,
  isFile: (name: string) => boolean,
): string[] {
  return membersOf(values)
    .filter(([name]) => !isFile(name))
    .flatMap(([name, value]) => fieldPairs(name, value, encoding[name] ?? {}))
}

function fieldPairs(
  name: string,
  value: unknown,
  { style, explode = true, contentTypes }: FieldEncoding,
): string[] {
  if (style !== undefined)
    return queryPairs({
      parameter: { name, in: 'query', required: false, schema: true, style, explode },
      value,
    })
  if (contentTypes?.some(isJsonMedia)) return [writePair(name, JSON.stringify(value))]
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  return parts.map((part) => writePair(name, isScalar(part) ? scalarText(part) : JSON.stringify(part)))
}
