import type { Tokens } from '../auth/tokens.ts'
import type { Scope, User } from '../core/context.ts'
import type { Reporter } from '../core/reporter.ts'
import type { EngineHealth } from '../engines/engine.ts'
import type { Api, Operation, OperationChecks } from '../spec/api.ts'
import type { Bindings } from '../spec/bindings.ts'
import type { CorsOrigins } from './cors.ts'
import type { ErrorFormat } from './error-format.ts'
import type { ServicePlugins } from './plugins.ts'

/** What the HTTP server is given: everything it uses of the other parts, as values and functions. */
export interface HttpOptions {
  readonly apis: readonly Api[]
  /** Macaron's own, served like the others and listed nowhere. */
  readonly ownApis?: readonly Api[]
  /** Operations without a binding are not served. */
  readonly bindings: Bindings
  /** The checks of one operation; asked at its first request. */
  readonly checksOf: (api: Api, operation: Operation) => OperationChecks
  /** Needed as soon as one operation is `authenticated`. */
  readonly tokens: Pick<Tokens, 'verify'> | undefined
  /** Stores what a scope has staged; the reply waits for it. A rejection becomes 503 `TASKS_UNAVAILABLE`. */
  readonly release: (scope: Scope) => Promise<void>
  /** Ends a scope whose request did not succeed. */
  readonly drop: (scope: Scope, callId: string, userId: string | undefined) => void
  /** The service's name, version and environment, for `/version`. */
  readonly name: string
  readonly version: string
  readonly env: string
  /** Serve `/doc`, the APIs for people. Default false. */
  readonly docs?: boolean
  /** Replies say less about the inside. */
  readonly production: boolean
  /** 0: any free one. */
  readonly port: number
  /** Default `0.0.0.0`. */
  readonly host?: string
  /** Lets several processes listen on the port (Linux and some others). Default false. */
  readonly reusePort?: boolean
  /** Largest request body that is read into memory, in bytes. Default 1 MiB. */
  readonly bodyLimit?: number
  /** Largest file of a request, and largest form with its files, in bytes. Defaults 10 MiB and 50 MiB. */
  readonly fileLimit?: number
  readonly uploadLimit?: number
  /** Most fields of a form. Default 1000. */
  readonly partLimit?: number
  /** What happens to a reply that is not what the spec declares. Default `fail`. */
  readonly replyCheck?: 'fail' | 'log' | 'off'
  /** Request headers that travel with tasks. Default none; Authorization and Cookie never do. */
  readonly contextHeaders?: readonly string[]
  /** Longest time a handler may take, in ms; 0: any. Default 30 s. */
  readonly requestTimeoutMs?: number
  /** How long `stop` waits for requests, in ms. Default 10 s. */
  readonly stopTimeoutMs?: number
  /** Longest time the headers of a request, and the whole of it, may take to arrive, in ms. Defaults 20 s and 60 s. */
  readonly headersTimeoutMs?: number
  readonly arrivalTimeoutMs?: number
  /** How long an idle connection is kept, in ms. Default 72 s, longer than usual load balancers keep theirs. */
  readonly keepAliveTimeoutMs?: number
  /** Behind `/health/ready`. Without it the service is ready when it answers. */
  readonly health?: (() => Promise<EngineHealth>) | undefined
  /** Told of every reply of 500 or more, and of slow ones. */
  readonly reporter?: Reporter | undefined
  /** Longer ones are reported as slow, in ms; 0: none is. Default 0. */
  readonly slowCallMs?: number
  /** The form of error replies. Default: PyMacaron's error JSON. */
  readonly errorFormat?: ErrorFormat | undefined
  /** Who callers without a token are. Default nobody. */
  readonly defaultUser?: User | undefined
  /** Asked by `GET /ping`; what it throws is the reply. */
  readonly onPing?: (() => unknown) | undefined
  /** Which other sites' pages may call: `*`, or origins. Default none. */
  readonly cors?: CorsOrigins | undefined
  /** Compresses replies of 1 KiB and more for callers that accept it. Default false. */
  readonly compress?: boolean
  /** The service's own Fastify plugins and hooks. */
  readonly plugins?: ServicePlugins | undefined
}
