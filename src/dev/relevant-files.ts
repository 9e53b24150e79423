import { basename, dirname, sep } from 'node:path'

/** Which files of a service's folder make a difference when they change. Paths are below that folder. */

/** Code, specs and configuration; not tests, generated files, types alone, nor what editors leave. */
export function isRelevant(path: string): boolean {
  const name = basename(path)
  if (/^[.#~]/.test(name)) return false
  const [folder = ''] = path.split(sep)
  if (folder === 'apis' || folder === 'clients')
    return /\.(ya?ml|json)$/.test(name) || (isCode(name) && !isGenerated(path))
  return isCode(name) || (dirname(path) === '.' && isSetting(name))
}

/** Files that are made from specs: they change when those do, and nobody else changes them. */
export function isGenerated(path: string): boolean {
  return /[\\/](apis|clients)[\\/][^\\/]+$/.test(`/${path}`) && /\.gen\.[mc]?ts$/.test(path)
}

/** Installed packages, and folders that begin with a dot: `.macaron`, `.git`. */
export function isIgnoredFolder(path: string): boolean {
  const name = basename(path)
  return name === 'node_modules' || name.startsWith('.')
}

function isCode(name: string): boolean {
  return /\.[mc]?[jt]s$/.test(name) && !/\.(d|test|spec)\.[mc]?[jt]s$/.test(name)
}

function isSetting(name: string): boolean {
  return /^(macaron|pym-config(\..+)?)\.ya?ml$/.test(name) || name === 'package.json'
}
