import { resolve } from 'node:path'
import { SetupError } from '../../core/errors.ts'

/** Where Redis is, read from `broker_url`. */
export interface Address {
  readonly kind: 'one' | 'unix' | 'sentinel' | 'cluster'
  /** Of Redis, of the sentinels or of some nodes of the cluster; none with a socket. */
  readonly hosts: readonly Host[]
  /** The socket's path. */
  readonly path?: string
  /** What the sentinels call the group of servers. */
  readonly group?: string
  readonly db: number
  readonly login: Login
  readonly sentinelLogin: Login
  readonly tls: boolean
  /** Files with what TLS needs beside what Node knows. */
  readonly certificates: Certificates
}

/** Paths of PEM files: of the authority that Redis' certificate is of, and of a certificate of our own with its key. */
export interface Certificates {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface Host {
  readonly host: string
  readonly port: number
}

export interface Login {
  readonly username?: string
  readonly password?: string
}

export const redisForms =
  'redis://user:password@host:6379/0, rediss:// (TLS; ?ca=file&cert=file&key=file), redis+sentinel://host:26379,host:26379/group/0, redis+cluster://host:6379,host:6379 (rediss+… with TLS) and redis+unix:///path/to/socket?db=0'

export function isRedis(url: string): boolean {
  return /^rediss?(\+|:)/i.test(url)
}

/**
 * Reads `broker_url`. Its parts are percent-decoded; files it names are relative to `folder`. No message shows the URL: it may hold a password.
 * @throws SetupError `BROKER_INVALID`.
 */
export function readAddress(url: string, folder = '.'): Address {
  const parts = form.exec(url)?.groups
  if (parts === undefined) throw invalid('it has none of the known forms')
  const kind = kinds[parts.kind ?? '']
  if (kind === undefined) throw invalid(`redis+${parts.kind} is no form of it`)
  const query = new URLSearchParams(parts.query ?? '')
  const tls = parts.scheme?.toLowerCase() === 'rediss'
  const known = [...queryKeys[kind], ...(tls ? fileKeys : [])]
  const unknown = [...query.keys()].find((key) => !known.includes(key))
  if (unknown !== undefined) throw invalid(`it can't have ${JSON.stringify(unknown)} in its query`)
  return {
    kind,
    hosts: kind === 'unix' ? [] : hostsOf(parts.hosts ?? '', kind),
    ...placeOf(kind, parts.path ?? '', query),
    login: loginOf(parts.login ?? ''),
    sentinelLogin: login(query.get('sentinel_username'), query.get('sentinel_password')),
    tls,
    certificates: certificatesOf(query, folder),
  }
}

/** For messages and logs: where it is, without who may use it. */
export function describeAddress({ kind, hosts, path, group, db }: Address): string {
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ')
  const where = db === 0 ? '' : `, database ${db}`
  if (kind === 'unix') return `Redis at ${path}${where}`
  if (kind === 'sentinel') return `Redis (${group}, by the sentinels at ${list})${where}`
  return kind === 'cluster' ? `the Redis cluster at ${list}` : `Redis at ${list}${where}`
}

// Without + a plain server; user and password end at the last @.
const form =
  /^(?<scheme>rediss?)(?:\+(?<kind>\w+))?:\/\/(?:(?<login>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/i

const kinds: Readonly<Record<string, Address['kind']>> = {
  '': 'one',
  sentinel: 'sentinel',
  cluster: 'cluster',
  unix: 'unix',
}

const queryKeys: Readonly<Record<Address['kind'], readonly string[]>> = {
  one: [],
  unix: ['db'],
  sentinel: ['sentinel_username', 'sentinel_password'],
  cluster: [],
}

const fileKeys = ['ca', 'cert', 'key'] as const

function certificatesOf(query: URLSearchParams, folder: string): Certificates {
  if (query.has('cert') !== query.has('key')) throw invalid('cert and key come together')
  const given = fileKeys.filter((key) => query.has(key))
  return Object.fromEntries(given.map((key) => [key, resolve(folder, query.get(key) ?? '')]))
}

type Place = Pick<Address, 'db' | 'path' | 'group'>

function placeOf(kind: Address['kind'], path: string, query: URLSearchParams): Place {
  const [first = '', second, ...more] = path.replace(/^\/|\/$/g, '').split('/')
  switch (kind) {
    case 'unix':
      if (path.length < 2) throw invalid('the path of the socket is missing')
      return { path: decoded(path), db: dbOf(query.get('db') ?? '') }
    case 'sentinel':
      if (first === '' || more.length > 0) throw invalid('the name of the group is missing after the hosts')
      return { group: decoded(first), db: dbOf(second ?? '') }
    case 'cluster':
      if (first !== '') throw invalid('a cluster has no numbered databases')
      return { db: 0 }
    case 'one':
      if (second !== undefined) throw invalid('after the host there is only the number of a database')
      return { db: dbOf(first) }
  }
}

function dbOf(text: string): number {
  if (/^\d{0,5}$/.test(text)) return Number(text)
  throw invalid('the database is no number')
}

function hostsOf(text: string, kind: Address['kind']): readonly Host[] {
  const standard = kind === 'sentinel' ? 26_379 : 6_379
  const hosts = text.split(',').map((host) => hostOf(host, standard))
  if (kind === 'one' && hosts.length > 1)
    throw invalid('several hosts are redis+sentinel:// or redis+cluster://')
  return hosts
}

function hostOf(text: string, standard: number): Host {
  const found = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))?(?::(\d{1,5}))?$/i.exec(text)
  const port = Number(found?.[3] ?? standard)
  if (found === null || port > 65_535) throw invalid('a host or port in it is none')
  return { host: found[1] ?? decoded(found[2] ?? '127.0.0.1'), port }
}

/** `user:password`, `:password`, or `user` alone. */
function loginOf(text: string): Login {
  const colon = text.indexOf(':')
  if (colon < 0) return login(decoded(text), null)
  return login(decoded(text.slice(0, colon)), decoded(text.slice(colon + 1)))
}

function login(username: string | null, password: string | null): Login {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('a % in it is not followed by two hex digits: write %25')
  }
}

function invalid(why: string): SetupError {
  return new SetupError('BROKER_INVALID', [
    {
      message: `broker_url can't be read: ${why}. It may be ${redisForms}; write @ : / ? # % in a password as %40 %3A %2F %3F %23 %25.`,
    },
  ])
}
