import { readFileSync } from 'node:fs'

/** The version of this package. */
export function ownVersion(): string {
  // package.json is two folders up, from src/cli as from dist/cli.
  const found: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'
}
