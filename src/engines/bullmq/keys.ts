import type { KeysMap } from 'bullmq'

/** The one BullMQ queue that holds a service's tasks. */
export const queueName = 'tasks'

/** Before all keys of a service. In braces: a Redis Cluster keeps them on one node, where scripts can use them together. */
export function prefixOf(service: string): string {
  return `{macaron:${encodeURIComponent(service)}}`
}

/** Our own keys, beside those of BullMQ and outside of its queue's names, so that none of its commands takes them for jobs. */
export interface OwnKeys {
  /** Sorted set of all ids, each with the score 0: sorted by text, which is by time. */
  readonly ids: string
  /** When settled tasks may go. */
  readonly expires: string
  /** Those among BullMQ's failed jobs that are parked, and that were cancelled, by when. */
  readonly parked: string
  readonly cancelled: string
  /** The names of workers, dead ones perhaps; those that live have a key of their own. */
  readonly workers: string
  worker(owner: string): string
  /** Written to see whether that can be done. */
  readonly probe: string
}

export function ownKeys(service: string): OwnKeys {
  const key = (name: string) => `${prefixOf(service)}:${name}`
  return {
    ids: key('ids'),
    expires: key('expires'),
    parked: key('parked'),
    cancelled: key('cancelled'),
    workers: key('workers'),
    worker: (owner) => key(`worker:${owner}`),
    probe: key('probe'),
  }
}

/** The names of BullMQ's keys that we read, or use in scripts of our own. */
export function jobKeys(keys: KeysMap) {
  const key = (name: string) => keys[name] ?? `${keys['']}${name}`
  return {
    wait: key('wait'),
    prioritized: key('prioritized'),
    delayed: key('delayed'),
    active: key('active'),
    completed: key('completed'),
    failed: key('failed'),
    events: key('events'),
    meta: key('meta'),
    stalled: key('stalled'),
    /** There as long as nobody has to look for stalled jobs again. */
    looked: key('stalled-check'),
    marker: key('marker'),
    /** Counts those with a priority, in whose order they stand. */
    priorities: key('pc'),
    job: (id: string) => `${keys['']}${id}`,
    lock: (id: string) => `${keys['']}${id}:lock`,
    /** Ours: there for some minutes after a task was deleted that had run. */
    gone: (id: string) => `${keys['']}${id}:gone`,
  }
}

export type JobKeys = ReturnType<typeof jobKeys>
