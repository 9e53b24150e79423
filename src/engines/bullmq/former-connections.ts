import { type Cluster, Redis } from 'ioredis'

/** A connection, as its server knows it. */
interface Known {
  readonly id: string
  readonly address: string
}

/**
 * Whenever `client` has connected anew, has the server end the connection that it had before. What was sent on one that was given up may still be on its way,
 * for a minute if the network was away: a claim that arrives so late takes tasks that nobody knows of. Nothing else is sent before this.
 */
export function endFormerConnections(client: Redis | Cluster): void {
  const former = new Map<string, Known>()
  if (client instanceof Redis) follow(client, former)
  else client.on('+node', (node: Redis) => follow(node, former))
}

function follow(client: Redis, former: Map<string, Known>): void {
  const place = `${client.options.host}:${client.options.port}`
  client.on('ready', () => {
    const known = former.get(place)
    former.delete(place)
    // Where its user may not, or it is gone: then it is as it would be without.
    if (known !== undefined)
      void client.call('CLIENT', 'KILL', 'ID', known.id, 'ADDR', known.address).catch(() => undefined)
    void client
      .call('CLIENT', 'INFO')
      .then((info) => {
        const [, id, address] = /^id=(\d+) addr=(\S+)/.exec(String(info)) ?? []
        if (id !== undefined && address !== undefined) former.set(place, { id, address })
      })
      .catch(() => undefined)
  })
}
