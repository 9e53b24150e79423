import { subscribe } from 'node:diagnostics_channel'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KillPlan, type KillRule, killAtVariable } from './kill-plan.ts'
import { randomFrom } from './random.ts'

/**
 * Preloaded into the processes of a service under test (NODE_OPTIONS=--import): kills its own process with SIGKILL at the n-th event of a
 * name, in one role. The sources emit their events anyway; nothing in them knows of this.
 */
const plan: KillPlan = JSON.parse(process.env[killAtVariable] ?? '{"folder":"","seed":0,"rules":[]}')
const role = /entry\/(server|worker|executor)\.[jt]s$/.exec(process.argv[1] ?? '')?.[1]
plan.rules.forEach((rule, index) => {
  if (rule.role === role) arm(rule, index)
})

/** A mark per kill, made before it: a rule stops when it has killed as often as it may. */
function arm(rule: KillRule, index: number): void {
  let next = turnOf(rule, index)
  subscribe(`macaron:${rule.event}`, () => {
    if (next === undefined || --next.left > 0) return
    if (marked(join(plan.folder, `${index}-${next.kills}`))) process.kill(process.pid, 'SIGKILL')
    // Another process of the same role has been killed for this turn: this one may be for the next.
    else next = turnOf(rule, index)
  })
}

/** The kill that comes next, and how many events before it. Undefined where there were enough. */
function turnOf(
  { times, nth: [least, most] }: KillRule,
  index: number,
): { kills: number; left: number } | undefined {
  const kills = readdirSync(plan.folder).filter((name) => name.startsWith(`${index}-`)).length
  if (kills >= times) return undefined
  return { kills, left: randomFrom(plan.seed + index * 1000 + kills).whole(least, most) }
}

/** False when a process of the same role has been killed for this turn already. */
function marked(path: string): boolean {
  try {
    writeFileSync(path, String(process.hrtime.bigint()), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}
