import { execFileSync, spawnSync } from 'node:child_process'

/** Networks of their own, on one machine: each is a hub, where servers are, with machines that are joined to it by a cable each. */

/** All that one test process has made, so that none stays behind however it ends. */
const made = new Set<string>()
const prefix = 'macaron-'

/** Why tests that need one are skipped; false where they can be made, which takes root. */
export const withoutNetworks: string | false = probe()

/** A namespace whose addresses only those that are joined to it can reach. */
export class Network {
  /** Namespace of the hub, and its address in the network. */
  readonly hub: string
  readonly address = '10.211.0.1'
  #machines = 0

  private constructor(hub: string) {
    this.hub = hub
  }

  /** `name`: not that of another in this process. End it with `end`. */
  static create(name: string): Network {
    cleanUpAtExit()
    const network = new Network(`${prefix}${process.pid}-${name}`)
    addNamespace(network.hub)
    // Else it has the hardware address of a machine's plug, which then takes what is meant for the bridge when it is no part of that any more.
    ip(network.hub, 'link', 'add', 'bridge', 'address', '02:00:00:00:00:01', 'type', 'bridge')
    ip(network.hub, 'address', 'add', `${network.address}/24`, 'dev', 'bridge')
    ip(network.hub, 'link', 'set', 'bridge', 'up')
    return network
  }

  /** A machine more. */
  join(): Machine {
    const number = ++this.#machines
    const [namespace, plug] = [`${this.hub}-${number}`, `machine${number}`]
    addNamespace(namespace)
    ip(this.hub, 'link', 'add', plug, 'type', 'veth', 'peer', 'name', 'cable', 'netns', namespace)
    ip(this.hub, 'link', 'set', plug, 'master', 'bridge', 'up')
    ip(namespace, 'address', 'add', `10.211.0.${number + 1}/24`, 'dev', 'cable')
    ip(namespace, 'link', 'set', 'cable', 'up')
    return new Machine(this.hub, namespace, plug)
  }

  /** Kills what runs in it and removes it. */
  end(): void {
    const own = [...made].filter((name) => name === this.hub || name.startsWith(`${this.hub}-`))
    for (const namespace of own) removeNamespace(namespace)
  }
}

/** A place for processes that reach others over one cable only. */
export class Machine {
  readonly #hub: string
  readonly #namespace: string
  readonly #plug: string

  constructor(hub: string, namespace: string, plug: string) {
    this.#hub = hub
    this.#namespace = namespace
    this.#plug = plug
  }

  /** What runs a command there. */
  get through(): readonly string[] {
    return inside(this.#namespace)
  }

  /** What is sent is lost from now on, in both directions, and nobody is told, but that the machine sees it where its own cable is pulled. */
  cut(where: 'cable' | 'switch'): void {
    ip(this.#hub, 'link', 'set', this.#plug, ...(where === 'cable' ? ['down'] : ['nomaster']))
  }

  mend(): void {
    ip(this.#hub, 'link', 'set', this.#plug, 'master', 'bridge', 'up')
  }
}

/** What runs a command in a namespace. */
export function inside(namespace: string): readonly string[] {
  return ['ip', 'netns', 'exec', namespace]
}

function ip(namespace: string, ...words: readonly string[]): void {
  execFileSync('ip', ['-n', namespace, ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
}

function addNamespace(name: string): void {
  execFileSync('ip', ['netns', 'add', name])
  made.add(name)
  ip(name, 'link', 'set', 'lo', 'up')
}

function removeNamespace(name: string): void {
  const pids = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout.split('\n')
  for (const pid of pids.filter((line) => line !== '')) spawnSync('kill', ['-KILL', pid])
  spawnSync('ip', ['netns', 'delete', name])
  made.delete(name)
}

let willCleanUp = false

/** An interrupted test process runs none of its `after`. What one has left that was killed outright goes when the next one starts. */
function cleanUpAtExit(): void {
  if (willCleanUp) return
  willCleanUp = true
  for (const name of namespaces()) if (isOrphan(name)) removeNamespace(name)
  process.on('exit', () => {
    for (const name of made) removeNamespace(name)
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

function namespaces(): readonly string[] {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => line.split(' ')[0] || [])
}

function isOrphan(name: string): boolean {
  const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
  return pid !== undefined && spawnSync('kill', ['-0', pid]).status !== 0
}

function probe(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces take root'
  const name = `${prefix}${process.pid}-probe`
  const { status, stderr, error } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (status !== 0) return `no network namespaces here: ${(stderr ?? error?.message ?? '').trim()}`
  spawnSync('ip', ['netns', 'delete', name])
  return false
}
