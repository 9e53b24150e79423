import { registerHooks } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Tells of every module of the user's that this process loads from now on, before it runs. Installed packages and Macaron itself are left out. */
export function onModuleLoaded(tell: (file: string) => void): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:')) {
        const file = fileURLToPath(url)
        if (!file.includes(`${sep}node_modules${sep}`) && !file.startsWith(own)) tell(file)
      }
      return nextLoad(url, context)
    },
  })
}

/** `src` or `dist`. */
const own = dirname(import.meta.dirname) + sep
