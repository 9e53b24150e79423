import { hostname } from 'node:os'
import type { Config } from './config.ts'
import { Reporter } from './core/reporter.ts'
import { installReporter } from './core/reporting.ts'
import type { ServiceRole } from './define-service.ts'
import { type ServiceFile, stopHook } from './service-file.ts'

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

/** The service's own end of a process: reports that are on their way, `onStop`, and what that has reported. */
export async function endOwn(
  own: ServiceFile,
  role: ServiceRole,
  reporter: Reporter | undefined,
): Promise<void> {
  await lastReports(reporter)
  await stopHook(own, role)
  await lastReports(reporter)
}

/** Waits for reports that are on their way, though not for ever. */
export async function lastReports(reporter: Reporter | undefined): Promise<void> {
  await reporter?.idle(lastReportsMs)
}

const lastReportsMs = 3000
