import { join } from 'node:path'
import { type ClientSettings, installClients } from './clients/table.ts'
import type { Config } from './config.ts'
import { type ClientConfig, urlVariable } from './config-clients.ts'
import { type Fault, SetupError } from './core/errors.ts'
import type { Api } from './spec/api.ts'
import { clientFile } from './spec/emit-client.ts'
import { type Generated, generateIfStale } from './spec/generate.ts'
import { loadApi } from './spec/load.ts'
import { locateFaults } from './spec/locate.ts'
import { models } from './spec/model-registry.ts'
import { below } from './spec/pointers.ts'

/** The clients of a service: their generated files, and their settings for this process. Their specs are read at the first call. */

/**
 * Brings `clients/*.gen.ts` up to date and makes the clients known. `own` are the service's APIs where they are loaded already.
 * @throws SetupError `SPEC_INVALID`, `GENERATE_FAILED`, `CLIENT_NO_URL` with every client whose address nobody says.
 */
export async function loadClients(config: Config, own: readonly Api[] = []): Promise<void> {
  const faults = addressFaults(config)
  if (faults.length > 0) throw new SetupError('CLIENT_NO_URL', faults)
  await generateClients(config)
  makeKnown(config, own)
}

/** The same, but what is wrong with one client keeps no other from being looked at. */
export async function checkClients(
  config: Config,
  own: readonly Api[],
  found: ClientFindings,
): Promise<void> {
  found.add('error', 'CLIENT_NO_URL', addressFaults(config))
  for (const name of Object.keys(config.clients)) await found.from(() => generateClient(config, name))
  makeKnown(config, own)
}

/** Takes what is wrong. */
export interface ClientFindings {
  from(load: () => Promise<unknown>): Promise<unknown>
  add(severity: 'error', code: string, faults: readonly Fault[]): void
}

function makeKnown(config: Config, own: readonly Api[]): void {
  const clients = Object.entries(config.clients)
  installClients(new Map(clients.map(([name, client]) => [name, settingsOf({ name, client, config, own })])))
}

/** A fault for each client whose address nobody says. */
export function addressFaults({ clients, file }: Config): readonly Fault[] {
  const missing = Object.entries(clients).filter(([, { url }]) => url === undefined)
  const placed = missing.map(([name]) => ({
    pointer: below('/clients', name),
    message: `clients.${name}.url is missing: say where the service is, here or in the environment as ${urlVariable(name)}`,
  }))
  return locateFaults(file, placed)
}

/** Writes the generated files of all clients that are out of date. @throws SetupError with the faults of all their specs. */
export async function generateClients(config: Config): Promise<readonly Generated[]> {
  const generated: Generated[] = []
  const failed: SetupError[] = []
  for (const name of Object.keys(config.clients)) {
    try {
      generated.push(...(await generateClient(config, name)))
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      failed.push(error)
    }
  }
  const [first] = failed
  if (first === undefined) return generated
  // One error has one code: what else there is comes when that is mended.
  const alike = failed.filter(({ code }) => code === first.code)
  throw new SetupError(
    first.code,
    alike.flatMap(({ faults }) => faults),
  )
}

async function generateClient(config: Config, name: string): Promise<readonly Generated[]> {
  const client = config.clients[name]
  if (client === undefined) return []
  const { spec, isOwn, base_path } = client
  const file = join(config.folder, 'clients', `${name}.gen.ts`)
  const basePath = base_path ?? config.base_path
  const generated = await generateIfStale(spec, clientFile({ name, file, isOwn, basePath }))
  // Its models may come as arguments of tasks before anything is called.
  if (!isOwn) models.define(spec, {})
  return [generated]
}

interface Made {
  readonly name: string
  readonly client: ClientConfig
  readonly config: Config
  readonly own: readonly Api[]
}

function settingsOf({ name, client, config, own }: Made): ClientSettings {
  return {
    name,
    url: client.url ?? '',
    timeoutMs: client.timeout,
    retries: client.retries,
    replyCheck: client.reply_check,
    replyLimit: client.reply_limit,
    headers: client.headers,
    passToken: client.pass_token,
    userAgent: `${config.name} ${config.version}`.replace(/[^\w.-]+/g, '-'),
    models,
    loadApi: async () => {
      const loaded = client.isOwn ? own.find((api) => api.file === client.spec) : undefined
      return loaded ?? (await loadApi(client.spec, { basePath: client.base_path ?? config.base_path }))
    },
  }
}
