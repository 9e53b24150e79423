import { relative } from 'node:path'
import { Command } from 'commander'
import type { CheckReport, Finding, Severity } from '../../check.ts'
import { describeFault } from '../../core/errors.ts'
import { entryOf } from '../../entries.ts'
import { startChild } from '../../supervisor/child.ts'
import { ChildError } from '../../supervisor/child-end.ts'
import { say, sayJson } from '../output.ts'
import { envOption, type ServiceOptions, serviceOption } from '../service-option.ts'

/** `macaron check`: everything that is wrong with the service's files, without starting it. */
export function checkCommand(): Command {
  return new Command('check')
    .description(
      "say everything that is wrong with the service's files, without starting it; exit code 1 for errors",
    )
    .option('--hints', 'list what could be better about the specs; without it, it is counted')
    .option('--strict', 'exit code 1 for warnings too')
    .option('--json', 'as one JSON document')
    .addOption(serviceOption())
    .addOption(envOption())
    .action(check)
}

interface Options extends ServiceOptions {
  readonly hints?: boolean
  readonly strict?: boolean
  readonly json?: boolean
}

async function check(options: Options): Promise<void> {
  if (options.env !== undefined) process.env.MACARON_ENV = options.env
  const report = await reportOn(options)
  const errors = count(report, 'error')
  const warnings = count(report, 'warning')
  const ok = errors === 0 && !(options.strict && warnings > 0)
  if (!ok) process.exitCode = 1
  if (options.json) return sayJson({ ok, errors, warnings, ...report })
  for (const finding of report.findings) say(lineOf(finding))
  say(summary(report, options))
}

/** Checks in a process of its own, which imports the service's modules as those of a start do, and whatever they begin ends with it. */
async function reportOn({ service, hints }: Options): Promise<CheckReport> {
  const child = startChild({
    name: 'check',
    entry: entryOf('check'),
    args: [service, ...(hints ? ['hints'] : [])],
    stopTimeoutMs: 0,
    readyTimeoutMs: 600_000,
  })
  try {
    const ready = await child.ready
    // Made by entry/check.ts.
    return (ready as { readonly report: CheckReport }).report
  } catch (error) {
    if (!(error instanceof ChildError)) throw error
    return { ...nothing, findings: [{ severity: 'error', rule: error.code, message: error.message }] }
  } finally {
    await child.kill()
  }
}

const nothing: CheckReport = { findings: [], hints: 0, apis: 0, operations: 0, tasks: 0 }

function count({ findings }: CheckReport, severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length
}

function lineOf({ severity, rule, ...fault }: Finding): string {
  const file = fault.file === undefined ? {} : { file: relative(process.cwd(), fault.file) || '.' }
  return describeFault({ ...fault, ...file, message: `${severity}: ${fault.message} [${rule}]` })
}

function summary(report: CheckReport, { hints: listed }: Options): string {
  const { hints, apis, operations, tasks } = report
  const more = hints > 0 && !listed ? ' (--hints lists them)' : ''
  return [
    `${counted(count(report, 'error'), 'error')}, ${counted(count(report, 'warning'), 'warning')}, ${counted(hints, 'hint')}${more}`,
    `looked at ${counted(operations, 'operation')} of ${counted(apis, 'API')} and ${counted(tasks, 'task')}`,
  ].join('; ')
}

function counted(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
