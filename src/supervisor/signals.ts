/**
 * Signals to the process at the top. Its children listen to it instead (parent.ts), since a Ctrl-C in a terminal and the stop of
 * a service manager reach every process of the group.
 */
export interface TopProcess {
  /** The first SIGINT, SIGTERM or SIGHUP: stop in good order. */
  gentle(signal: NodeJS.Signals): void
  /** A second one: the user will not wait. */
  hard(signal: NodeJS.Signals): void
}

/** Listens to stop signals in the process at the top. The returned function ends that. */
export function onStopSignals({ gentle, hard }: TopProcess): () => void {
  let first: number | undefined
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      gentle(signal)
      // One Ctrl-C arrives twice where npm passes on what the terminal has sent to everyone already.
    } else if (now - first > sameSignalMs) hard(signal)
  }
  for (const signal of stopSignals) process.on(signal, listener)
  return () => {
    for (const signal of stopSignals) process.off(signal, listener)
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const sameSignalMs = 200
