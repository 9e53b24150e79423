import { MessageError } from '../core/errors.ts'
import type { TaskMessage } from './message.ts'
import { type CheckedOptions, defaultOptions } from './options.ts'

/**
 * Options as they are stored and signed: a JSON text of what differs from the defaults of the format (never of the configuration), so
 * that most messages carry `{}`. An option this version does not know stays in the text and has no effect.
 */
export function storeOptions(options: CheckedOptions): string {
  const known = texts.get(options)
  if (known !== undefined) return known
  const differing = Object.entries(options).filter(([name, value]) => !isDefault(name, value))
  const text = JSON.stringify(Object.fromEntries(differing))
  texts.set(options, text)
  return text
}

/** Tasks fire with the same frozen options again and again. */
const texts = new WeakMap<CheckedOptions, string>()

const defaults = new Map<string, unknown>(Object.entries(defaultOptions))

function isDefault(name: string, value: unknown): boolean {
  return defaults.get(name) === value
}

/** Options read back from a verified message. @throws MessageError `UNDECODABLE`. */
export function readOptions(text: string): CheckedOptions {
  if (text === '{}') return defaultOptions
  try {
    // Signed by whoever stored it with storeOptions, and verified before it is read.
    const stored = JSON.parse(text) as Partial<CheckedOptions>
    return {
      ...defaultOptions,
      ...stored,
      backoff: { ...defaultOptions.backoff, ...stored.backoff },
      keep: { ...defaultOptions.keep, ...stored.keep },
    }
  } catch {
    throw new MessageError('undecodable', 'The stored options are not readable')
  }
}

/** When a message may run, by the options it was fired with: as it was before an engine changed it. */
export function runAtOf({ options, firedAt }: Pick<TaskMessage, 'options' | 'firedAt'>): number {
  const { delay } = readOptions(options)
  return delay === 0 ? 0 : firedAt + delay
}

/**
 * Engines sort and treat a task by columns of their own; whoever can write the store could change them. They must say what the
 * signed options say. @throws MessageError `REFUSED`.
 */
export function checkColumns(message: TaskMessage, options: CheckedOptions): void {
  const { queue, priority, atMostOnce } = message
  if (queue === options.queue && priority === options.priority && atMostOnce === options.atMostOnce) return
  throw new MessageError(
    'refused',
    'The queue, priority or atMostOnce of the stored task differs from what was fired and signed',
  )
}
