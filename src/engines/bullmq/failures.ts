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
    pattern: /certificate|CERT/i,
    code: 'STORE_UNREACHABLE',
    text: (where, message) =>
      `${where} can't be trusted: ${message}. Node is told of a private authority by NODE_EXTRA_CA_CERTS, the file of its certificate.`,
  },
  {
    pattern: /timed out|Socket timeout|ETIMEDOUT/,
    code: 'STORE_UNREACHABLE',
    text: (where) =>
      `${where} does not answer in time. See whether it runs, and what it is busy with: \`redis-cli SLOWLOG GET\`.`,
  },
  {
    pattern:
      /Connection is closed|max retries per request|enableOfflineQueue|aborted due to connection close|slots cache|Cluster is ended|startup nodes|All sentinels are unreachable|ECONN|EPIPE|ENOTFOUND|EAI_|EHOST|ENET|ENOENT|EACCES|sentinel|certificate|CERT|SSL|TLS/i,
    code: 'STORE_UNREACHABLE',
    text: (where, message) => `${where} can't be reached: ${message}`,
  },
]
