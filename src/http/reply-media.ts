import type { Operation } from '../spec/api.ts'
import { isJsonMedia } from '../spec/dialect.ts'
import { declaredStatus } from '../spec/statuses.ts'

/** What the replies of an operation with one status may be, as its spec says. */
export interface ReplyMedia {
  /** In lower case, without parameters, ranges included; none where the spec says none. */
  readonly all: readonly string[]
  /** Plain data is sent as JSON: that is declared, or nothing is. */
  readonly json: boolean
  /** Headers of a JSON reply: its type, where only a more special one is declared. */
  readonly jsonHeaders: Readonly<Record<string, string>>
  /** The first declared type that is not JSON and no range. */
  readonly other: string | undefined
}

/** Reply media by status, worked out when a status is first replied with. */
export class RepliesMedia {
  readonly #operation: Pick<Operation, 'replies' | 'replyMedia'>
  readonly #known = new Map<number, ReplyMedia>()

  constructor(operation: Pick<Operation, 'replies' | 'replyMedia'>) {
    this.#operation = operation
  }

  of(status: number): ReplyMedia {
    const known = this.#known.get(status)
    if (known !== undefined) return known
    const { replies, replyMedia } = this.#operation
    const declared = declaredStatus(replies, status)
    const made = mediaOf(declared === undefined ? [] : (replyMedia[declared] ?? []))
    this.#known.set(status, made)
    return made
  }
}

const noHeaders = {}

function mediaOf(all: readonly string[]): ReplyMedia {
  const json = all.filter(isJsonMedia)
  const special = json.every((type) => type !== 'application/json' && !type.includes('*'))
    ? json[0]
    : undefined
  return {
    all,
    json: all.length === 0 || json.length > 0,
    jsonHeaders: special === undefined ? noHeaders : { 'content-type': special },
    other: all.find((type) => !isJsonMedia(type) && !type.includes('*')),
  }
}
