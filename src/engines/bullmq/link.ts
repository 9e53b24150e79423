import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { asError, StoreError } from '../../core/errors.ts'
import { type Address, type Certificates, describeAddress } from './address.ts'
import {
  closed,
  isStoreFailure,
  noMaster,
  notOverTls,
  openingError,
  storeError,
  unanswered,
} from './failures.ts'
import { endFormerConnections } from './former-connections.ts'
import { endSilentConnections } from './silent-connections.ts'
import { type Switch, Switches } from './switches.ts'

/** A Redis that says nothing for so long is given up: what waits for it is told so, and the connection made anew. */
export const answerWithinMs = 5_000
/** The slowest network that what was sent is waited for on, in bytes per ms. */
const slowestRate = 100
const againMs = 1_000
const sentinelWithinMs = 1_500
/** By then every sentinel knows of a failover. */
const settledWithinMs = 15_000

/**
 * One connection to Redis. Nothing waits in it while Redis is away: every command fails at once, and goes on by itself once Redis is back. Commands
 * that were under way when it broke are never sent again: whoever sent them knows whether that would be right.
 */
export class Link {
  readonly client: Redis | Cluster
  /** For messages. */
  readonly where: string
  #lastError: Error | undefined
  #sentinelError: Error | undefined
  #isClosed = false
  #wasReady = false
  #returnedAt = Number.NEGATIVE_INFINITY
  #isGathering = false
  #switches: Switches | undefined
  #left: { readonly place: string; readonly at: number } | undefined

  private constructor(address: Address) {
    this.where = describeAddress(address)
    this.client = makeClient(address)
    endFormerConnections(this.client)
    if (this.client instanceof Redis)
      endSilentConnections(this.client, this.where, { ms: answerWithinMs, slowestRate })
    // Told to whoever uses it next; without a listener ioredis writes it to the console.
    this.client.on('error', (error: unknown) => {
      if (this.#lastError === undefined || !saysNothing(error)) this.#lastError = asError(error)
      // ioredis would go on in database 0, with the tasks of others.
      if (isOfSelect(error)) this.client.disconnect(true)
    })
    // Says which one, and why.
    this.client.on('sentinelError', (error: unknown) => {
      this.#sentinelError = asError(error)
    })
    // Where ioredis gives up, which no setting keeps it from in every case.
    this.client.on('end', () => this.#connectAgain())
    this.client.on('ready', () => {
      this.#lastError = undefined
      if (this.#wasReady) this.#returnedAt = performance.now()
      this.#wasReady = true
      this.#leaveOldMaster()
    })
  }

  /** Connects. @throws StoreError where that fails, after `answerWithinMs` at the latest. */
  static async open(address: Address): Promise<Link> {
    const link = new Link(address)
    try {
      await link.within(answerWithinMs, link.client.connect())
      if (address.kind === 'sentinel') link.#follow(address)
      return link
    } catch (error) {
      const failure = link.#whyNotOpened(address, error)
      link.close()
      throw failure
    }
  }

  /** For how long it is there again, in ms; Infinity where it was never away. */
  get backForMs(): number {
    return performance.now() - this.#returnedAt
  }

  /** Calls `listener` each time that the connection is there again, until the returned function is called. */
  onReturn(listener: () => void): () => void {
    this.client.on('ready', listener)
    return () => this.client.off('ready', listener)
  }

  /** What has gone wrong, as Macaron's error. That a connection is closed matters less than what closed it. */
  failure(thrown: unknown): Error {
    if (this.#isClosed) return closed()
    const cause = saysNothing(thrown) ? (this.#lastError ?? thrown) : thrown
    return this.#wasReady ? storeError(cause, this.where) : openingError(cause, this.where)
  }

  /** What `work` answers. @throws StoreError where Redis is at fault. */
  async use<T>(work: (client: Redis | Cluster) => Promise<T>): Promise<T> {
    this.#gather()
    try {
      return await work(this.client)
    } catch (error) {
      throw this.failure(error)
    }
  }

  /** What `work` answers within the time that a caller can wait, whatever else Redis answers meanwhile. @throws StoreError. */
  within<T>(ms: number, work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const alarm = setTimeout(() => reject(unanswered(this.where, ms)), ms)
    void work.then(resolve, reject).then(() => clearTimeout(alarm))
    return promise
  }

  /** How each of `works` ends; one that hasn't after `ms` counts as unanswered, so that nobody waits for ever. */
  async ends<T>(ms: number, works: readonly Promise<T>[]): Promise<readonly PromiseSettledResult<T>[]> {
    const late = Promise.withResolvers<never>()
    const alarm = setTimeout(() => late.reject(unanswered(this.where, ms)), ms)
    const ends = await Promise.allSettled(works.map((work) => Promise.race([work, late.promise])))
    clearTimeout(alarm)
    return ends
  }

  /** What is sent in one turn of the loop goes out in one write, which spares a tenth of the whole; but the first at once, where nothing is under way. */
  #gather(): void {
    const { client } = this
    if (this.#isGathering || !(client instanceof Redis) || client.status !== 'ready') return
    const { stream, commandQueue } = client
    if (commandQueue.length === 0) return
    this.#isGathering = true
    stream.cork()
    setImmediate(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  #connectAgain(): void {
    if (this.#isClosed || !this.#wasReady) return
    setTimeout(() => {
      if (!this.#isClosed && this.client.status === 'end') this.client.connect().catch(() => undefined)
    }, againMs)
  }

  /** That nobody has answered in time says less than what was met meanwhile. */
  #whyNotOpened({ kind, tls }: Address, thrown: unknown): Error {
    if (!isStoreFailure(thrown) && !saysNothing(thrown)) return this.failure(thrown)
    const met = this.#lastError?.message.startsWith('All sentinels')
      ? (this.#sentinelError ?? this.#lastError)
      : this.#lastError
    if (met !== undefined) return openingError(met, this.where)
    if (kind === 'sentinel') return noMaster(this.where)
    return tls ? notOverTls(this.where) : this.failure(thrown)
  }

  #follow(address: Address): void {
    this.#switches = new Switches(address, ({ from }: Switch) => {
      this.#left = { place: from, at: performance.now() }
      this.#leaveOldMaster()
    })
  }

  /** A sentinel that doesn't know of the failover yet may have sent us back to it. */
  #leaveOldMaster(): void {
    const { client } = this
    const left = this.#left
    if (!(client instanceof Redis) || client.status !== 'ready' || left === undefined) return
    const { remoteAddress, remotePort } = client.stream
    const isThere = `${remoteAddress}:${remotePort}` === left.place
    if (isThere && performance.now() < left.at + settledWithinMs) client.disconnect(true)
  }

  close(): void {
    this.#isClosed = true
    this.#switches?.close()
    this.client.disconnect()
  }
}

/** That the database could not be chosen. */
function isOfSelect(error: unknown): boolean {
  const command = error instanceof Error && 'command' in error ? error.command : undefined
  return typeof command === 'object' && command !== null && 'name' in command && command.name === 'select'
}

/** But that there is no connection. */
function saysNothing(thrown: unknown): boolean {
  return /closed|enableOfflineQueue|max retries|aborted due/.test(asError(thrown).message)
}

/** How long the answer to so many characters or bytes may take, in ms. */
export function msFor(length: number): number {
  return answerWithinMs + length / slowestRate
}

function makeClient(address: Address): Redis | Cluster {
  const { kind, hosts, path, group, login, sentinelLogin, db } = address
  const tls = address.tls ? read(address.certificates, describeAddress(address)) : undefined
  const common = { ...options, reconnectOnError: readOnlyNow(), ...login, db, ...(tls && { tls }) }
  switch (kind) {
    case 'one':
      // Read from the URL, of which there is one.
      return new OwnRedis({ ...common, ...hosts[0] })
    case 'unix':
      return new OwnRedis({ ...common, ...(path === undefined ? {} : { path }) })
    case 'sentinel':
      return new OwnRedis({
        ...common,
        sentinels: [...hosts],
        ...(group === undefined ? {} : { name: group }),
        ...sentinelNames(sentinelLogin),
        enableTLSForSentinelMode: address.tls,
        ...(tls && { sentinelTLS: tls }),
        sentinelRetryStrategy: pauseMs,
        // Of several sentinels one may be dead: the next is asked while there is time.
        sentinelCommandTimeout: sentinelWithinMs,
        connectTimeout: sentinelWithinMs,
      })
    case 'cluster':
      return new Cluster([...hosts], {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: pauseMs,
        slotsRefreshTimeout: answerWithinMs,
        redisOptions: { ...common, ...givenUp },
      })
  }
}

/** @throws StoreError `STORE_UNREACHABLE` where one can't be read. */
function read(files: Certificates, where: string): ConnectionOptions {
  return Object.fromEntries(Object.entries(files).map(([key, path]) => [key, readPem(path, where)]))
}

function readPem(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const message = `${where} can't be reached: a file that broker_url names can't be read: ${asError(error).message}`
    throw new StoreError('STORE_UNREACHABLE', message, { cause: error })
  }
}

function sentinelNames({ username, password }: Address['sentinelLogin']) {
  return {
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
  }
}

const options = {
  lazyConnect: true,
  // The same replies from every server.
  protocol: 2 as const,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: answerWithinMs,
  keepAlive: 10_000,
  retryStrategy: pauseMs,
}

/** Answers come in order, so that none can be late while others come. (A timer for each command costs a tenth of the whole.) */
const givenUp = { socketTimeout: answerWithinMs }

/** On the connections that BullMQ makes of it nothing large is sent, and nobody else looks after them. */
class OwnRedis extends Redis {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return super.duplicate({ ...givenUp, ...override })
  }
}

function pauseMs(tries: number): number {
  return Math.min(50 * tries, 1_000)
}

/** What was the master is a replica now: look for the new one, but not once for each command that has met it. */
function readOnlyNow(): (error: Error) => boolean {
  let lookedAt = Number.NEGATIVE_INFINITY
  return (error) => {
    const now = performance.now()
    if (!error.message.startsWith('READONLY') || now < lookedAt + 1_000) return false
    lookedAt = now
    return true
  }
}
