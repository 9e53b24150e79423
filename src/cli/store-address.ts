import { MacaronError } from '../core/errors.ts'

/**
 * What an option says a store's address is: itself, or the environment variable that it names, which keeps passwords off the command line, where every user of
 * the machine can read them.
 */
export function storeAddress(option: string, text: string): string {
  if (text.includes(':')) return text
  const found = process.env[text]
  if (found) return found
  // What is hardly a name is an address, if a wrong one.
  if (!/^[a-z_]\w*$/i.test(text)) return text
  throw new MacaronError(
    'NO_STORE_ADDRESS',
    `${option} names the environment variable ${text}, which is not set. Set it to the address of the store, or give the address itself: sqlite: is the embedded store, redis://host:6379/0 one on Redis.`,
  )
}
