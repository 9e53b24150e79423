import { describe, test } from 'node:test'
import { MacaronError } from '../core/errors.ts'
import type { Engine } from '../engines/engine.ts'
import { cancel } from './engine-suite/cancel.ts'
import { close } from './engine-suite/close.ts'
import { consume } from './engine-suite/consume.ts'
import { counts } from './engine-suite/counts.ts'
import { enqueue } from './engine-suite/enqueue.ts'
import { goOn } from './engine-suite/go-on.ts'
import { health } from './engine-suite/health.ts'
import { list } from './engine-suite/list.ts'
import { purge } from './engine-suite/purge.ts'
import { remove } from './engine-suite/remove.ts'
import { retry } from './engine-suite/retry.ts'
import { settle } from './engine-suite/settle.ts'
import type { Part, Stage } from './engine-suite/setup.ts'
import { watch } from './engine-suite/watch.ts'

/**
 * What every engine must do, as tests for `node:test`: the meaning of engines/engine.ts. Whoever writes an engine runs
 * `describeEngineContract` in a test file of theirs.
 */
export interface EngineUnderTest {
  readonly name: string
  /** A new, empty store. */
  open(): Promise<OpenedEngine>
  /** Tests of the contract that this engine does not pass, by `verb: name`, each with the reason. */
  readonly skip?: readonly Skip[]
}

export interface OpenedEngine {
  readonly engine: Engine
  /** Another engine on the same store, as another process would have. */
  second(): Promise<Engine>
  /** Closes every engine and removes the store. */
  close(): Promise<void>
}

export interface Skip {
  readonly test: string
  readonly reason: string
}

const parts: Readonly<Record<string, Part>> = {
  enqueue,
  consume,
  settle,
  'go on': goOn,
  cancel,
  retry,
  remove,
  purge,
  list,
  counts,
  watch,
  health,
  close,
}

/**
 * Declares the contract's tests for one engine.
 * @throws MacaronError `UNKNOWN_TEST` for a skip that names none of them.
 */
export function describeEngineContract(engine: EngineUnderTest): void {
  const unused = new Map((engine.skip ?? []).map((skip) => [skip.test, skip.reason]))
  describe(`engine contract: ${engine.name}`, () => {
    for (const [verb, part] of Object.entries(parts)) {
      for (const [name, body] of Object.entries(part)) {
        const title = `${verb}: ${name}`
        const reason = unused.get(title)
        unused.delete(title)
        test(title, { skip: reason ?? false, timeout: 60_000 }, () => runOnStage(engine, body))
      }
    }
  })
  const [unknown] = unused.keys()
  if (unknown === undefined) return
  throw new MacaronError(
    'UNKNOWN_TEST',
    `${engine.name} skips a test that the contract doesn't have: ${unknown}`,
  )
}

async function runOnStage(engine: EngineUnderTest, body: (stage: Stage) => Promise<void>): Promise<void> {
  const opened = await engine.open()
  try {
    await body({ engine: opened.engine, second: () => opened.second() })
  } finally {
    await opened.close()
  }
}
