import type { BodyContent } from '../spec/api.ts'
import { essenceOf, isOfMedia } from '../spec/media.ts'
import { RefusedRequest } from './refusals.ts'

/** Which of the media types that an operation takes a body is of. */
export class BodyMedia {
  readonly #content: readonly BodyContent[]
  readonly #json: BodyContent | undefined

  constructor(content: readonly BodyContent[]) {
    this.#content = content
    this.#json = content.find(({ kind }) => kind === 'json')
  }

  /** @throws RefusedRequest 415 `UNSUPPORTED_MEDIA_TYPE` with what is taken in `Accept`. */
  of(type: string | undefined): BodyContent {
    if (this.#json !== undefined && type === 'application/json') return this.#json
    const found = type === undefined ? this.#untyped() : this.#typed(type)
    if (found !== undefined) return found
    throw this.#refusal(type)
  }

  #typed(type: string): BodyContent | undefined {
    const essence = essenceOf(type)
    if (json.test(essence)) return isUtf8(type) ? this.#jsonOf(essence) : undefined
    const others = this.#content.filter(({ kind }) => kind !== 'json')
    const found =
      others.find(({ mediaType }) => mediaType === essence) ??
      others.find(({ mediaType }) => isOfMedia(essence, mediaType))
    return found === undefined || found.kind === 'file' || isUtf8(type) ? found : undefined
  }

  /** Any type that is JSON serves where JSON is taken; where several are declared, the caller's own. */
  #jsonOf(essence: string): BodyContent | undefined {
    return this.#content.find(({ mediaType }) => mediaType === essence) ?? this.#json
  }

  /** A body without a type is one of bytes (RFC 9110 §8.3). */
  #untyped(): BodyContent | undefined {
    return this.#content.find(
      ({ kind, mediaType }) => kind === 'file' && isOfMedia('application/octet-stream', mediaType),
    )
  }

  #refusal(type: string | undefined): RefusedRequest {
    const taken = this.#content.map(({ kind, mediaType }) => {
      if (mediaType.includes('*')) return kind === 'json' ? 'application/json' : mediaType
      return mediaType
    })
    const inUtf8 = this.#content.every(({ kind }) => kind === 'file' || kind === 'multipart')
      ? ''
      : ' in UTF-8'
    return new RefusedRequest(415, 'UNSUPPORTED_MEDIA_TYPE', {
      message: `The body must be ${taken.join(' or ')}${inUtf8}, ${type === undefined ? 'but has no Content-Type' : `not ${type.slice(0, 100)}`}`,
      headers: { accept: taken.join(', ') },
    })
  }
}

const json = /^(?:application\/json|[\w!#$&^.-]+\/[\w!#$&^.-]+\+json)$/

/** Whether a type's parameters name no other character set than UTF-8, or its part US-ASCII. */
function isUtf8(type: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)"?/i.exec(type)?.[1]?.toLowerCase()
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset)
}
