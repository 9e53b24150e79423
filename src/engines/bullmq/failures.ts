import { asError, codeOf, MacaronError, StoreError } from '../../core/errors.ts'

/**
 * What goes wrong with Redis, as errors with stable codes that say what to do. Redis' own errors begin with a word in capitals; ioredis' are
 * told by their message.
 */

/** Any error of the Redis at `where` as what Macaron throws for it; the fault of one task stays what it is. */
export function storeError(thrown: unknown, where: string): Error {
  if (thrown instanceof MacaronError) return thrown
  const error = withoutCommand(asError(thrown))
  const kind = kinds.find(({ pattern }) => pattern.test(error.message) || pattern.test(codeOf(error) ?? ''))
  if (kind !== undefined) return new StoreError(kind.code, kind.text(where, error.message), { cause: error })
  // What Redis itself answers is never the fault of one task.
  if (error.name !== 'ReplyError') return error
  return new StoreError('STORE_FAILED', `${where} fails: ${error.message}`, { cause: error })
}

/** The same where there never was a connection. One that was there ends so when Redis dies. */
export function openingError(thrown: unknown, where: string): Error {
  const error = storeError(thrown, where)
  if (error === thrown || !asError(thrown).message.includes('ECONNRESET')) return error
  return new StoreError(
    'STORE_UNREACHABLE',
    `${error.message}. A server that wants TLS (rediss:// in broker_url), or a certificate of its clients (?cert=file&key=file), ends connections so, too.`,
    { cause: error.cause },
  )
}

/** ioredis puts the command onto what it throws, with all that was sent: passwords, arguments, contexts. None of it may be logged. */
function withoutCommand(error: Error): Error {
  Reflect.deleteProperty(error, 'command')
  return error
}

/** Whether the store itself fails. Anything else is the fault of one task, and must not stop the others. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof StoreError
}

export function unanswered(where: string, ms: number): StoreError {
  return new StoreError(
    'STORE_UNREACHABLE',
    `${where} has not answered within ${Math.round(ms / 1000)} s. See whether it runs, and what it is busy with: \`redis-cli SLOWLOG GET\`.`,
  )
}

/** Nothing came of a connection that was begun with TLS. */
export function notOverTls(where: string): StoreError {
  return new StoreError(
    'STORE_UNREACHABLE',
    `${where} does not answer to TLS. See whether it runs, and whether this port speaks TLS: without, it is redis:// in broker_url.`,
  )
}

/** Sentinels tell of a master, but nobody is one where they say. */
export function noMaster(where: string): StoreError {
  return new StoreError(
    'STORE_UNREACHABLE',
    `${where} has no master: the server that these sentinels name is none. See \`SENTINEL MASTERS\`: they may be those of another time, or a failover is under way.`,
  )
}

export function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'The task store was closed: the service is stopping.')
}

interface Kind {
  readonly pattern: RegExp
  readonly code: string
  text(where: string, message: string): string
}

const kinds: readonly Kind[] = [
  {
    pattern: /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/,
    code: 'STORE_LOGIN',
    text: (where, message) =>
      `${where} refuses this user or password (${message.split(' ')[0]}). See to those in broker_url.`,
  },
  {
    pattern: /^NOPERM/,
    code: 'STORE_LOGIN',
    text: (where, message) =>
      `${where} does not let this user do what is needed (${message}). Give the one in broker_url these rights: \`ACL SETUSER … '~{macaron:*' '&*' +@all -@admin -@dangerous +info\`.`,
  },
  {
    pattern: /^ERR (DB index is out of range|SELECT is not allowed)/,
    code: 'STORE_NO_DATABASE',
    text: (where) =>
      `${where} does not exist: this Redis has fewer databases. Give another number in broker_url, or raise \`databases\` in Redis' configuration.`,
  },
  {
    pattern: /^OOM/,
    code: 'STORE_FULL',
    text: (where) =>
      `${where} has used up its maxmemory. Free some or raise it; tasks are stored again by themselves then.`,
  },
  {
    pattern: /^(READONLY|MISCONF|NOREPLICAS|MASTERDOWN)/,
    code: 'STORE_UNWRITABLE',
    text: (where, message) => `${where} takes no writes now: ${message}`,
  },
  {
    pattern: /^(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|UNBLOCKED|Too many Cluster redirections)/,
    code: 'STORE_BUSY',
    text: (where, message) => `${where} can't serve now: ${message}`,
  },
  {
    pattern: /No such master with that name|got an invalid reply: null/,
    code: 'STORE_UNREACHABLE',
    text: (where) =>
      `${where} can't be found: these sentinels know no such group. See the name after the hosts in broker_url, and \`SENTINEL MASTERS\`.`,
  },
  {
    pattern: /alert (bad )?certificate|CERTIFICATE_REQUIRED|alert handshake failure/i,
    code: 'STORE_UNREACHABLE',
    text: (where) =>
      `${where} wants to see a certificate of this client that it trusts: broker_url names its files by ?cert=file&key=file.`,
  },
  {
    pattern: /self[- ]signed|unable to (get|verify)/i,
    code: 'STORE_UNREACHABLE',
    text: (where, message) =>
      `${where} can't be trusted: ${message}. Its authority is told by ?ca=file in broker_url, or to all of Node by NODE_EXTRA_CA_CERTS.`,
  },
  {
    pattern: /certificate|CERT_|altname/i,
    code: 'STORE_UNREACHABLE',
    text: (where, message) =>
      `${where} can't be trusted: ${message}. See to its certificate: until when it is good, and for which names.`,
  },
  {
    pattern: /wrong version number|packet length too long/i,
    code: 'STORE_UNREACHABLE',
    text: (where) => notOverTls(where).message,
  },
  {
    // As a whole: one of a sentinel ends with such words, and says which it is.
    pattern:
      /^(Connection is closed|Reached the max retries per request|(Stream|Cluster) isn't \w+ and enableOfflineQueue|Command aborted due to connection close)/,
    code: 'STORE_UNREACHABLE',
    text: (where) => `${where} can't be reached: the connection has ended.`,
  },
  {
    pattern: /timed out|Socket timeout|ETIMEDOUT/,
    code: 'STORE_UNREACHABLE',
    text: (where) =>
      `${where} does not answer in time. See whether it runs, and what it is busy with: \`redis-cli SLOWLOG GET\`.`,
  },
  {
    pattern:
      /Connection is closed|slots cache|Cluster is ended|startup nodes|All sentinels are unreachable|ECONN|EPIPE|ENOTFOUND|EAI_|EHOST|ENET|ENOENT|EACCES|sentinel|SSL|TLS/i,
    code: 'STORE_UNREACHABLE',
    text: (where, message) => `${where} can't be reached: ${message}`,
  },
]
