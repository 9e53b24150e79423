import { MacaronError } from '../core/errors.ts'
import type { Model } from '../spec/models.ts'

/** What a request was answered with, read. */
export interface ReplyFacts {
  /** `POST /signup`, for messages. */
  readonly request: string
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly bytes: Buffer
  /** What the handler threw, where the reply is a 5xx. */
  readonly crash: Error | undefined
}

/** The reply to an injected request. */
export class TestReply<Body = Readonly<Record<string, unknown>>> {
  readonly status: number
  readonly headers: ReplyFacts['headers']
  readonly bytes: Buffer
  /** What was really thrown, where the reply is a 5xx: callers are told less. */
  readonly crash: Error | undefined
  readonly #request: string

  constructor({ request, status, headers, bytes, crash }: ReplyFacts) {
    this.status = status
    this.headers = headers
    this.bytes = bytes
    this.crash = crash
    this.#request = request
  }

  /** The body as text. */
  get text(): string {
    return this.bytes.toString('utf8')
  }

  /** The body's JSON. @throws MacaronError `REPLY_NOT_JSON`. */
  get json(): Body {
    try {
      // Whoever names a type for the body says what the spec says of it.
      return JSON.parse(this.text) as Body
    } catch (cause) {
      throw new MacaronError('REPLY_NOT_JSON', `${this.#summary()}, and its body is no JSON`, { cause })
    }
  }

  /** The id that ties together the log lines, tasks and crash reports of this request. */
  get callId(): string {
    return String(this.headers['x-call-id'])
  }

  /** The body as a model: `reply.model(Account)`. @throws ModelError `MODEL_INVALID` where it is none; `REPLY_NOT_JSON`. */
  model<Class extends new (init: never) => Model>(
    model: Class & Pick<typeof Model, 'from'>,
  ): InstanceType<Class> {
    return model.from<Class>(this.json)
  }

  /**
   * This reply, where it has that status. For an error, `code` can be asked for too.
   * @throws MacaronError `UNEXPECTED_REPLY` that shows the body, and what the handler threw.
   */
  expect(status: number, code?: string): this {
    if (this.status === status && (code === undefined || this.#errorCode() === code)) return this
    const wanted = code === undefined ? `${status}` : `${status} ${code}`
    const crash = this.crash === undefined ? '' : `\n\nThrown was: ${this.crash.stack ?? this.crash.message}`
    throw new MacaronError('UNEXPECTED_REPLY', `${this.#summary()}, not ${wanted}${crash}`, {
      cause: this.crash,
    })
  }

  /** `error` of an error reply. */
  #errorCode(): unknown {
    try {
      return JSON.parse(this.text)?.error
    } catch {
      return undefined
    }
  }

  #summary(): string {
    const body = this.text.length > longestShown ? `${this.text.slice(0, longestShown)}…` : this.text
    return `${this.#request} was answered ${this.status}${body === '' ? ' without a body' : `: ${body}`}`
  }
}

const longestShown = 2000
