import type { Body, BodyContent, FieldEncoding, JsonSchema } from './api.ts'
import { isJsonMedia, namedSchemaOf } from './dialect.ts'

/** The media types of request bodies, and how each is read. */

/** What is declared for one media type. */
export interface DeclaredContent {
  readonly mediaType: string
  /** Undefined: anything. */
  readonly schema: JsonSchema | undefined
  readonly encoding?: Readonly<Record<string, FieldEncoding>>
}

/** The body of an operation that takes these media types; undefined where it takes none. */
export function bodyOf(declared: readonly DeclaredContent[], required: boolean): Body | undefined {
  const all = declared.map(contentOf)
  // XML is read by nobody here. Specs list it beside JSON by habit; alone, it is passed on as it comes.
  const readable = all.filter(({ mediaType }) => !xml.test(mediaType))
  const content = (readable.length === 0 ? all : readable).toSorted((one, other) => rank(one) - rank(other))
  const [first] = content
  if (first === undefined) return undefined
  return { required, schema: first.schema, model: namedSchemaOf(first.schema), content, asParameters: false }
}

const xml = /^(?:application|text)\/(?:[\w.-]+\+)?xml$/

function contentOf({ mediaType: written, schema, encoding = {} }: DeclaredContent): BodyContent {
  const mediaType = essenceOf(written)
  const kind = kindOf(mediaType)
  const usual = kind === 'text' ? { type: 'string' } : true
  return { mediaType, kind, schema: schema ?? usual, encoding }
}

/** A media type in lower case, without its parameters. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

function kindOf(mediaType: string): BodyContent['kind'] {
  if (isJsonMedia(mediaType)) return 'json'
  if (mediaType === 'application/x-www-form-urlencoded') return 'form'
  if (mediaType === 'multipart/form-data') return 'multipart'
  return mediaType.startsWith('text/') && !xml.test(mediaType) ? 'text' : 'file'
}

function rank({ kind }: BodyContent): number {
  return kind === 'json' ? 0 : 1
}

/** Whether a media type is one of a declared one, which may be a range such as `image/*`. */
export function isOfMedia(mediaType: string, declared: string): boolean {
  if (declared === '*/*' || declared === mediaType) return true
  return declared.endsWith('/*') && mediaType.startsWith(declared.slice(0, -1))
}
