import { RedisServer } from './redis-server.ts'
import { until } from './until.ts'

/** A Redis Cluster of three nodes, each with a third of the slots. */
export class RedisCluster implements AsyncDisposable {
  readonly nodes: readonly RedisServer[]

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  static async start(...settings: readonly string[]): Promise<RedisCluster> {
    const own = [
      '--cluster-enabled',
      'yes',
      '--cluster-announce-ip',
      '127.0.0.1',
      '--cluster-node-timeout',
      '2000',
    ]
    const nodes = await Promise.all([0, 1, 2].map(async () => await RedisServer.start(...own, ...settings)))
    for (const [index, node] of nodes.entries()) {
      await node.command(
        'CLUSTER',
        'ADDSLOTSRANGE',
        String(starts[index]),
        String((starts[index + 1] ?? 0) - 1),
      )
      await node.command('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port))
    }
    const cluster = new RedisCluster(nodes)
    for (const node of nodes) await until(() => isWhole(node), { what: 'the cluster to be whole' })
    return cluster
  }

  /** How a service finds it. */
  get url(): string {
    return `redis+cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  }

  /** The slot of a key, and the node that has it. */
  async ownerOf(key: string): Promise<{ readonly slot: number; readonly owner: RedisServer }> {
    const reply = await this.#first().command('CLUSTER', 'KEYSLOT', key)
    const slot = Number(reply.replace(/\D/g, ''))
    const index = starts.findLastIndex((start) => start <= slot)
    return { slot, owner: this.#at(index) }
  }

  /** Moves a slot from one node to another while it is used, a key at a time: as `redis-cli --cluster reshard` does. */
  async move(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const name = String(slot)
    await to.command('CLUSTER', 'SETSLOT', name, 'IMPORTING', await idOf(from))
    await from.command('CLUSTER', 'SETSLOT', name, 'MIGRATING', await idOf(to))
    for (;;) {
      const keys = wordsOf(await from.command('CLUSTER', 'GETKEYSINSLOT', name, '10'))
      if (keys.length === 0) break
      await from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'REPLACE', 'KEYS', ...keys)
    }
    for (const node of [to, from, ...this.nodes])
      await node.command('CLUSTER', 'SETSLOT', name, 'NODE', await idOf(to))
  }

  #first(): RedisServer {
    return this.#at(0)
  }

  #at(index: number): RedisServer {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()))
  }
}

const starts = [0, 5461, 10_923, 16_384]

async function isWhole(node: RedisServer): Promise<boolean> {
  const info = await node.command('CLUSTER', 'INFO')
  return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
}

async function idOf(node: RedisServer): Promise<string> {
  return wordsOf(await node.command('CLUSTER', 'MYID'))[0] ?? ''
}

/** The bulk strings of a reply. */
function wordsOf(reply: string): readonly string[] {
  return reply.split('\r\n').filter((line) => line !== '' && !/^[*$]\d+$/.test(line))
}
