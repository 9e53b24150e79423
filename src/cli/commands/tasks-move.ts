import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Config } from '../../config.ts'
import { asError, codeOf, MacaronError } from '../../core/errors.ts'
import { on } from '../../core/events.ts'
import { writeError } from '../../core/standard-output.ts'
import { Move, type Moved } from '../../engines/move.ts'
import { isShared, storeFolder } from '../../engines/open.ts'
import { stateFolder } from '../../state-folder.ts'
import { openStoreAt } from '../../store.ts'
import { onStopSignals } from '../../supervisor/signals.ts'
import { say, sayJson } from '../output.ts'
import { configOf, envOption, type ServiceOptions, serviceOption } from '../service-option.ts'
import { storeAddress } from '../store-address.ts'

interface MoveOptions extends ServiceOptions {
  readonly from: string
  readonly to?: string
  readonly json?: boolean
}

/** `macaron tasks move`: what is to run goes from one store to another. */
export function moveCommand(): Command {
  return new Command('move')
    .description(
      'move tasks that are to run to another store; where one fails on the way it says why, waits and goes on; interrupted, it goes on when run again',
    )
    .requiredOption(
      '--from <url>',
      'the store to empty, such as sqlite:, or the name of an environment variable that holds it',
    )
    .option('--to <url>', 'the other one, named likewise (default: broker_url)')
    .option('--json', 'as one JSON document')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(move)
}

async function move({ from, to, json, ...options }: MoveOptions): Promise<void> {
  const config = configOf(options)
  const emptied = storeAddress('--from', from)
  const target = to === undefined ? config.broker_url : storeAddress('--to', to)
  refuseMissing(config, emptied)
  await using source = await openStoreAt(config, emptied)
  await using destination = await openStoreAt(config, target)
  const work = new Move({
    from: source.engine,
    to: destination.engine,
    onProgress: (moved) => {
      if (json !== true && process.stdout.isTTY) process.stdout.write(`\r${moved} moved`)
    },
  })
  const endings = [
    onStopSignals({ gentle: () => void work.stop(), hard: () => process.exit(1) }),
    ...tellTroubles(),
  ]
  try {
    const { moved, left, parked, lost } = await work.run()
    if (left > 0) process.exitCode = 1
    if (json) sayJson({ moved, left, parked, lost })
    else for (const line of summary({ moved, left, parked, lost })) say(line)
  } catch (error) {
    sayFailed(work.moved, error, json === true)
    throw error
  } finally {
    for (const end of endings) end()
    await work.stop()
  }
}

/** Why nothing moves: whoever waits for it sees to that, or stops it. */
function tellTroubles(): readonly (() => void)[] {
  const tell = (text: string) => writeError(`${process.stdout.isTTY ? '\n' : ''}${text}\n`)
  return [
    on('store.trouble', ({ code, message }) => tell(`Waits: ${message} [${code}]`)),
    on('store.well', () => tell('Goes on: the store works again.')),
    on('notice', ({ message }) => tell(message)),
  ]
}

/** An empty store would be made there, and nothing found in it. */
function refuseMissing(config: Config, url: string): void {
  const folder = isShared(url) ? undefined : storeFolder(url, stateFolder(config))
  if (folder === undefined || existsSync(join(folder, 'tasks.db'))) return
  throw new MacaronError('NO_STORE', `There is no store in ${folder}: see to --from`)
}

/** What was moved by then; why it went no further is told by whoever reports the failure. */
function sayFailed(moved: number, error: unknown, json: boolean): void {
  if (json) sayJson({ moved, error: codeOf(error) ?? asError(error).name })
  else if (moved > 0) say(movedSoFar(moved))
}

function movedSoFar(moved: number): string {
  return `${process.stdout.isTTY ? '\r' : ''}${moved} moved`
}

function summary({ moved, left, parked, lost }: Moved): readonly string[] {
  return [
    movedSoFar(moved),
    ...(left > 0 ? [`${left} not moved yet: run it again`] : []),
    ...(parked > 0
      ? [`${parked} parked there, with the reason: macaron tasks ls --state parked ${there}`]
      : []),
    ...(lost > 0 ? [`${lost} of them are lost: ${howToGoOn}`] : []),
  ]
}

const there = '(with broker_url naming that store)'
const howToGoOn = `they must not start twice, and a worker or a move was killed while it held them, so they may have run. Those that are to run all the same: macaron tasks retry ${there}, and move again`
