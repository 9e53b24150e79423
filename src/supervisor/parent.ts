import { Socket } from 'node:net'

/**
 * A child's side of supervision: it stops when its parent says so, or is gone, and tells its parent how it is. Signals that a
 * terminal sends to everyone are the parent's to act on.
 */

/** What made a child stop: its parent's message, SIGTERM sent to it, or the end of its parent. */
export type StopCause = 'message' | 'signal' | 'orphaned'

export interface ObedientChild {
  /** Stop in good order; called once. */
  stop(cause: StopCause): void
  /** Stop at once, own children first. Default: exit. */
  kill?(): void
  /** Whether SIGTERM to this process alone stops it. Default true. */
  readonly obeySigterm?: boolean
}

/** Makes this process a child that stops when its parent says so, or is gone. The returned function ends that. */
export function obeyParent({ stop, kill, obeySigterm = true }: ObedientChild): () => void {
  let stopped = false
  const stopOnce = (cause: StopCause): void => {
    if (stopped) return
    stopped = true
    stop(cause)
  }
  const onMessage = (message: unknown): void => {
    if (hasType(message, 'stop')) stopOnce('message')
    if (hasType(message, 'kill')) (kill ?? exitNow)()
  }
  const onOrphaned = (): void => stopOnce('orphaned')
  const onSigterm = (): void => {
    if (obeySigterm) stopOnce('signal')
  }
  process.on('message', onMessage)
  process.on('disconnect', onOrphaned)
  process.on('SIGTERM', onSigterm)
  for (const signal of ignoredSignals) process.on(signal, ignore)
  // Its parent was gone before anyone listened.
  if (process.connected === false) queueMicrotask(onOrphaned)
  return () => {
    process.off('message', onMessage)
    process.off('disconnect', onOrphaned)
    process.off('SIGTERM', onSigterm)
    for (const signal of ignoredSignals) process.off(signal, ignore)
  }
}

const ignoredSignals = ['SIGINT', 'SIGHUP'] as const

function ignore(): void {
  // The parent gets it too and decides.
}

function hasType(message: unknown, type: string): message is object {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === type
}

/** Calls `take` for each connection that the parent hands over from now on. */
export function takeConnections(take: (connection: Socket) => void): void {
  process.on('message', (message, handle) => {
    // Without one where its client has gone before it was handed over.
    if (hasType(message, 'connection') && handle instanceof Socket) take(handle)
    if (hasType(message, 'passed')) tellParent({ type: 'taken' })
  })
}

/** The arguments that the parent sends (`{ type: 'begin', args }`) to a process that it had started ahead of its need. */
export async function argumentsOfParent(): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>()
  const listener = (message: unknown): void => {
    if (hasType(message, 'begin') && 'args' in message && Array.isArray(message.args))
      resolve(message.args.map(String))
  }
  process.on('message', listener)
  const args = await promise
  process.off('message', listener)
  return args
}

function exitNow(): void {
  process.exit(1)
}

/**
 * Sends a message to the parent, where there is one. Never throws: a parent that is gone shows as the end of its channel. `onWritten` is
 * always called once, `false` means that the sender should wait for it.
 */
export function tellParent(message: object, onWritten: () => void = () => undefined): boolean {
  if (process.send === undefined) {
    queueMicrotask(onWritten)
    return true
  }
  return process.send(message, undefined, undefined, () => onWritten())
}
