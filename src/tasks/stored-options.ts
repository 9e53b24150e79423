import { MessageError } from '../core/errors.ts'
import type { TaskMessage } from './message.ts'
import { type CheckedOptions, defaultOptions } from './options.ts'

/**
 * Options as they are stored and signed: a JSON text of what differs from the defaults of the format (never of the configuration), so
 * that most messages carry `{}`. An option this version does not know is kept in the text and has no effect.
 */
export function storeOptions(options: CheckedOptions): string {
  const known = texts.get(options)
  if (known !== undefined) return known
  const text = JSON.stringify(differences(options))
  texts.set(options, text)
  return text
}

/** Tasks fire with the same frozen options again and again. */
const texts = new WeakMap<CheckedOptions, string>()

function differences(options: CheckedOptions): object {
  const { retries, backoff, queue, priority, delay, keep, atMostOnce } = options
  return {
    ...(retries === defaultOptions.retries ? {} : { retries }),
    ...(backoff === defaultOptions.backoff ? {} : { backoff }),
    ...(queue === defaultOptions.queue ? {} : { queue }),
    ...(priority === defaultOptions.priority ? {} : { priority }),
    ...(delay === defaultOptions.delay ? {} : { delay }),
    ...(keep === defaultOptions.keep ? {} : { keep }),
    ...(atMostOnce === defaultOptions.atMostOnce ? {} : { atMostOnce }),
  }
}

/** Options read back from a verified message. @throws MessageError `UNDECODABLE`. */
export function readOptions(text: string): CheckedOptions {
  if (text === '{}') return defaultOptions
  try {
    // Signed by whoever stored it with storeOptions, and verified before it is read.
    return { ...defaultOptions, ...(JSON.parse(text) as Partial<CheckedOptions>) }
  } catch (error) {
    throw new MessageError('undecodable', `The stored options are not readable: ${String(error)}`, {
      cause: error,
    })
  }
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
