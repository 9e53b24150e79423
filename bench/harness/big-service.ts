import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runPlace } from './places.ts'

/** GitHub's API description, where it lies beside the clone: a spec of 13 MB with over a thousand operations. */
const file = join(root, '..', 'shared', 'specs', 'github.json')

export const bigSpec = existsSync(file) ? file : undefined

/** A service that serves all of it from one handler. */
export function copyBigService(spec: string): string {
  const folder = runPlace('big')
  mkdirSync(join(folder, 'apis'))
  mkdirSync(join(folder, 'big'))
  writeFileSync(
    join(folder, 'macaron.yaml'),
    'name: big\nwith_async: true\nworker_count: 2\nlog_level: warn\n',
  )
  writeFileSync(join(folder, 'big', 'handlers.ts'), 'export function doNothing() {}\n')
  writeFileSync(
    join(folder, 'apis', 'github.json'),
    JSON.stringify(bound(JSON.parse(readFileSync(spec, 'utf8')))),
  )
  return folder
}

interface Spec {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>
}

function bound(spec: Spec): Spec {
  for (const methods of Object.values(spec.paths)) {
    for (const operation of Object.values(methods)) {
      if ('responses' in operation) operation['x-bind-server'] = 'big.handlers.doNothing'
    }
  }
  return spec
}
