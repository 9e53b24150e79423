import { relative } from 'node:path'
import type { Config } from '../config.ts'
import type { Settings } from '../config-keys.ts'
import { emit } from '../core/events.ts'
import { onStopSignals } from '../supervisor/signals.ts'
import { watchFiles } from '../watch/watch-files.ts'
import { isGenerated, isIgnoredFolder, isRelevant } from './relevant-files.ts'
import { Session } from './session.ts'

export interface DevOptions {
  /** The service's folder, absolute. */
  readonly folder: string
  /** Reads the configuration anew. @throws SetupError. */
  readConfig(): Config
  /** What the command line said; the processes read it over the file. */
  readonly overrides: Partial<Settings>
  /** The service answers at a port it did not answer at before; `server` is what its server has said of itself. */
  onUp(config: Config, server: object): void
}

/** Runs a service, anew at each change of its files, until a signal. Resolves when everything is gone. */
export async function runDev({ folder, readConfig, overrides, onUp }: DevOptions): Promise<void> {
  const watch = watchFiles({
    root: folder,
    isWatched: isRelevant,
    isIgnored: isIgnoredFolder,
    onChange(files) {
      emit('dev.changed', { files: files.map((file) => relative(folder, file)) })
      session.reload()
    },
    onPolling: (why) =>
      emit('notice', { message: `Changes of files are looked for every half second, since ${why}` }),
  })
  const onLoaded = (file: string) => {
    if (!isGenerated(file)) watch.add(file)
  }
  const session = new Session({ readConfig, overrides, onUp, onLoaded })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const forget = onStopSignals({
    gentle: () => void session.stop().then(end),
    hard: () => void session.kill().then(end),
  })
  session.reload()
  await ended
  forget()
  await watch.stop()
}
