import { join } from 'node:path'
import { type ClientSettings, installClients } from './clients/table.ts'
import type { Config } from './config.ts'
import type { ClientConfig } from './config-clients.ts'
import type { Api } from './spec/api.ts'
import { clientFile } from './spec/emit-client.ts'
import { type Generated, generateIfStale } from './spec/generate.ts'
import { loadApi } from './spec/load.ts'
import { models } from './spec/model-registry.ts'

/** The clients of a service: their generated files, and their settings for this process. Their specs are read at the first call. */

/**
 * Brings `clients/*.gen.ts` up to date and makes the clients known. `own` are the service's APIs where they are loaded already.
 * @throws SetupError `SPEC_INVALID`, `GENERATE_FAILED`.
 */
export async function loadClients(config: Config, own: readonly Api[] = []): Promise<void> {
  const names = Object.keys(config.clients)
  if (names.length > 0) await generateClients(config)
  installClients(
    new Map(
      Object.entries(config.clients).map(([name, client]) => [
        name,
        settingsOf({ name, client, config, own }),
      ]),
    ),
  )
}

/** Writes the generated files of all clients that are out of date. */
export async function generateClients(config: Config): Promise<readonly Generated[]> {
  const generated: Generated[] = []
  for (const [name, { spec, isOwn, base_path }] of Object.entries(config.clients)) {
    const file = join(config.folder, 'clients', `${name}.gen.ts`)
    generated.push(
      await generateIfStale(spec, clientFile({ name, file, isOwn, basePath: base_path ?? config.base_path })),
    )
    // Its models may come as arguments of tasks before anything is called.
    if (!isOwn) models.define(spec, {})
  }
  return generated
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
    url: client.url,
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
