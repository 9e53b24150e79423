import type { ConfigFaults } from './config-faults.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Values listed in `env_secrets` name environment variables and are replaced by what those hold, at any depth: PyMacaron's way to keep
 * secrets out of the file. The result is a frozen copy. Without `faults`, those that are not set are as good as absent.
 */
export function fillSecrets(
  values: Readonly<Record<string, unknown>>,
  environment: Environment,
  faults: ConfigFaults | undefined,
): Readonly<Record<string, unknown>> {
  const names = new Set<unknown>(Array.isArray(values.env_secrets) ? values.env_secrets : [])
  const fill = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return fillList(value, path)
    if (typeof value === 'object' && value !== null) return fillAll(value, path)
    return typeof value === 'string' && names.has(value) ? secret(value, path) : value
  }
  const fillList = (list: readonly unknown[], path: readonly string[]) => {
    const filled = list.map((item, index) => fill(item, [...path, String(index)]))
    const kept = filled.filter((item) => item !== undefined)
    return list.length > 0 && kept.length === 0 ? undefined : Object.freeze(kept)
  }
  const fillAll = (object: object, path: readonly string[]) => {
    const entries = Object.entries(object).map(([key, value]) => [key, fill(value, [...path, key])])
    return Object.freeze(Object.fromEntries(entries))
  }
  const secret = (name: string, path: readonly string[]): string | undefined => {
    // The list itself only names the variables.
    if (path[0] === 'env_secrets') return name
    const found = environment[name]
    if (found) return found
    if (faults === undefined) return undefined
    const where = `${path.join('.')} names the environment variable ${name} (listed in env_secrets)`
    faults.add(path, `${where}, which is not set. Set it before starting.`)
    return name
  }
  return fillAll(values, [])
}
