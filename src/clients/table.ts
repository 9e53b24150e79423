import { MacaronError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Api } from '../spec/api.ts'
import type { ModelRegistry } from '../spec/model-registry.ts'
import type { ClientReply } from './client.ts'
import type { Answering } from './fake.ts'

/** The clients that a process knows, by name. Installed before the user's modules are loaded; specs are read at the first call. */

/** What a client is set up with. */
export interface ClientSettings {
  readonly name: string
  /** Where the other service is: origin, and what goes before all its paths. */
  readonly url: string
  readonly timeoutMs: number
  readonly retries: number
  readonly replyCheck: 'fail' | 'log' | 'off'
  /** Largest body of a reply, in bytes. */
  readonly replyLimit: number
  /** Sent with every call, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether operations that need a token get the caller's. */
  readonly passToken: boolean
  readonly userAgent: string
  readonly loadApi: () => Promise<Api>
  readonly models: ModelRegistry
}

export type ClientTable = ReadonlyMap<string, ClientSettings>

let installed: ClientTable | undefined

/** Clients by name, made once: they find their settings at each call, since modules ask for them before a service is loaded. */
const clients = new Map<string, object>()

/** Answers in place of the network, by client. */
const fakes = new Map<string, Answering>()

/** Makes these the clients of this process. */
export function installClients(table: ClientTable): void {
  installed = table
}

/** The client of a name. @throws MacaronError `CLIENT_UNKNOWN` where a service is loaded that has none. */
export function clientNamed(name: string): object {
  if (installed !== undefined) settingsOf(name)
  const known = clients.get(name)
  if (known !== undefined) return known
  const made = new Proxy({}, new Operations(name))
  clients.set(name, made)
  return made
}

/** The settings of a client. @throws MacaronError `NO_SERVICE`, `CLIENT_UNKNOWN`. */
export function settingsOf(name: string): ClientSettings {
  if (installed === undefined) {
    throw new MacaronError(
      'NO_SERVICE',
      `The client ${name} was called before a service was loaded; in a script, openService() first`,
    )
  }
  const settings = installed.get(name)
  if (settings !== undefined) return settings
  const known = installed.size === 0 ? 'This service has none' : `Known: ${[...installed.keys()].join(', ')}`
  throw new MacaronError(
    'CLIENT_UNKNOWN',
    `There is no client ${name}: put the other service's spec at clients/${name}.yaml. ${known}.${didYouMean(name, installed.keys())}`,
  )
}

/** Lets `fake` answer the calls of a client; undefined gives them back to the network. */
export function setFake(name: string, fake: Answering | undefined): Answering | undefined {
  const before = fakes.get(name)
  if (fake === undefined) fakes.delete(name)
  else fakes.set(name, fake)
  return before
}

/** What answers the calls of a client in place of the network. */
export function fakeOf(name: string): Answering | undefined {
  return fakes.get(name)
}

type CallFunction = ((...args: readonly unknown[]) => Promise<unknown>) & {
  reply: (...args: readonly unknown[]) => Promise<ClientReply<unknown>>
}

/** Gives a function for every name asked for; whether there is such an operation is known once the spec is read, at the call. */
class Operations implements ProxyHandler<object> {
  readonly #client: string
  readonly #calls = new Map<string, CallFunction>()

  constructor(client: string) {
    this.#client = client
  }

  get(_: object, key: string | symbol): CallFunction | undefined {
    // A client that is awaited or logged is no promise and has no text.
    if (typeof key === 'symbol' || key === 'then' || key === 'toJSON') return undefined
    const known = this.#calls.get(key)
    if (known !== undefined) return known
    const call = callOf(this.#client, key)
    this.#calls.set(key, call)
    return call
  }
}

function callOf(client: string, operation: string): CallFunction {
  const reply = async (...args: readonly unknown[]) => {
    const settings = settingsOf(client)
    const { callOperation } = await import('./call.ts')
    return await callOperation({ settings, fake: fakeOf(client) }, operation, args)
  }
  const call = async (...args: readonly unknown[]) => (await reply(...args)).body
  return Object.assign(call, { reply })
}
