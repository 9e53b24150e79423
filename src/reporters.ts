import { hostname } from 'node:os'
import type { Config } from './config.ts'
import { Reporter } from './core/reporter.ts'
import { installReporter } from './core/reporting.ts'
import type { ServiceFile } from './service-file.ts'

/** The reporter of this process, also the one of `reportError`; undefined where the service has none, or reports are off. */
export function reporterOf(config: Config, { definition }: ServiceFile): Reporter | undefined {
  const { errorReporter } = definition
  const reporter =
    errorReporter === undefined || !config.error_reports
      ? undefined
      : new Reporter(errorReporter, {
          fqdn: hostname(),
          port: config.port,
          api_name: config.name,
          api_version: config.version,
          env: config.env,
        })
  installReporter(reporter)
  return reporter
}

/** How long an ending process waits for reports that are on their way, in ms. */
export const lastReportsMs = 3000
