import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { monotonicMs } from '../e2e/support/clock.ts'
import { type Random, seeded } from '../e2e/support/random.ts'
import { withoutNetworks } from '../support/network.ts'
import { withoutRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { Fleet, lostLeases, type Member, type PlacedRun } from './fleet.ts'

/** Three machines with one Redis, one of which is cut off while it takes and runs tasks. */

const skip = withoutRedis || withoutNetworks
const rerunWithinMs = 35_000

if (skip !== false) console.log(`Machines with networks of their own are not tested: ${skip}`)

test('a machine that is cut off for 15 s goes on by itself: nothing is lost, nothing runs twice', {
  skip,
}, async (t) => {
  const cut = await cutOff(t, { tasks: 2000, longMs: 25_000 })
  await until(() => monotonicMs() > cut.at + 15_000, { what: '15 s' })
  const { runs, parked } = await returns(t, cut)
  assert.deepEqual([doubledOf(runs), [...lostLeases(cut.victim)], parked], [[], [], []])
})

test('the tasks of a machine that is cut off for 60 s run elsewhere within 35 s; what it ends is refused, and it works again', {
  skip,
}, async (t) => {
  const cut = await cutOff(t, { tasks: 4000, longMs: 75_000 })
  await until(() => monotonicMs() > cut.at + 60_000, { what: '60 s', timeoutMs: 70_000 })
  const aftermath = await returns(t, cut)
  assertRanElsewhere(t, cut, aftermath)
  const lost = lostLeases(cut.victim)
  const doubled = doubledOf(aftermath.runs)
  assert.ok(doubled.length > 0)
  assert.ok(
    doubled.every((id) => lost.has(id)),
    'an outcome was dropped in silence',
  )
  assert.ok(
    [...lost].every((id) => cut.held.has(id)),
    'an outcome was refused that nobody else has',
  )
})

test('the tasks of a machine that is cut off and killed run elsewhere within 35 s', { skip }, async (t) => {
  const cut = await cutOff(t, { tasks: 3000, longMs: 50_000 })
  await until(() => monotonicMs() > cut.at + 2_000, { what: '2 s' })
  await cut.victim.worker.end()
  await until(() => monotonicMs() > cut.at + 40_000, { what: '40 s', timeoutMs: 50_000 })
  cut.victim.machine.mend()
  await cut.fleet.startAgain(t, cut.victim)
  const aftermath = await returns(t, cut)
  assertRanElsewhere(t, cut, aftermath)
})

/** A machine that was cut off. */
interface Cut {
  readonly fleet: Fleet
  readonly victim: Member
  readonly ids: readonly string[]
  /** When. */
  readonly at: number
  /** What it had the leases of then. */
  readonly held: ReadonlySet<string>
}

interface CutOptions {
  readonly tasks: number
  /** How long some of them take. */
  readonly longMs: number
}

/**
 * Cuts one off at a moment of chance, the one that has most of the long ones, while all take and end short ones as fast as they can. Then there are so many
 * more to run.
 */
async function cutOff(t: TestContext, { tasks, longMs }: CutOptions): Promise<Cut> {
  const random = seeded((line) => t.diagnostic(line))
  const fleet = await Fleet.start(t, 3)
  const long = await fleet.fire('work', ['long', longMs], 12)
  let isCut = false
  const short = fireShort(fleet, random, () => isCut)
  const count = () => fleet.members.reduce((sum, { worker }) => sum + worker.runs().length, 0)
  await until(() => fleet.members.every(({ worker }) => worker.runs().length > 50), {
    what: 'all machines to be at work',
  })
  const wanted = count() + random.whole(1, 2_000)
  await until(() => count() >= wanted, { what: 'a moment of chance', everyMs: 1 })
  const longOn = ({ worker }: Member) => worker.runs().filter(({ key }) => key === 'long').length
  const [victim] = fleet.members.toSorted((one, other) => longOn(other) - longOn(one))
  assert.ok(victim !== undefined && longOn(victim) > 0)
  const where = random.pick(['cable', 'switch'] as const)
  victim.machine.cut(where)
  const at = monotonicMs()
  isCut = true
  const held = await fleet.heldBy(victim)
  const begun = new Set(victim.worker.runs().map(({ id }) => id))
  const waiting = [...held].filter((id) => !begun.has(id)).length
  t.diagnostic(`cut at its ${where} with ${held.size} tasks, of which ${waiting} were not begun`)
  const ids = [...long, ...(await short), ...(await fireMixed(fleet, random, tasks))]
  return { fleet, victim, ids, at, held }
}

/** Such as take no time, of which some must not start twice, one batch after the other. */
async function fireShort(fleet: Fleet, random: Random, isEnough: () => boolean): Promise<readonly string[]> {
  const ids: string[] = []
  while (!isEnough()) {
    const [task, ...args] = random.pick([['note'], ['note'], ['once', 1]] as const)
    ids.push(...(await fleet.fire(task, ['short', ...args], random.whole(100, 1_000))))
  }
  return ids
}

/** Such as take up to a second, of which some must not start twice. */
async function fireMixed(fleet: Fleet, random: Random, tasks: number): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < tasks) {
    const args = [random.pick(['work', 'once']), random.whole(20, 1_000)] as const
    ids.push(...(await fleet.fire(args[0], args, random.whole(1, 50))))
  }
  return ids
}

interface Aftermath {
  readonly runs: readonly PlacedRun[]
  /** The ids of the tasks that were parked. */
  readonly parked: readonly string[]
}

/** Its cable is plugged in again, and it takes tasks again; then all must have been run, and counts are said. */
async function returns(t: TestContext, cut: Cut): Promise<Aftermath> {
  const { fleet, victim } = cut
  victim.machine.mend()
  const mended = monotonicMs()
  const more = await fleet.fire('work', ['more', 500], 600)
  const again = await until(
    () => fleet.runs().find((run) => run.member === victim && run.start > mended)?.start,
    { what: `it to work again; it said:\n${victim.worker.output}` },
  )
  await fleet.settled()
  const ids = new Set([...cut.ids, ...more])
  const runs = fleet.runs()
  const parked = (await fleet.engine.list({ state: 'parked', limit: 100_000 })).map(
    ({ message }) => message.id,
  )
  const ended = new Set(runs.filter((run) => run.ended).map(({ id }) => id))
  const lost = [...ids].filter((id) => !ended.has(id) && !parked.includes(id))
  const { done } = await fleet.engine.counts()
  t.diagnostic(
    [
      `tasks ${ids.size}, done ${done}, lost ${lost.length}, parked ${parked.length}, run twice ${doubledOf(runs).length}`,
      `outcomes refused ${lostLeases(victim).size}`,
      `at work again ${Math.round(again - mended)} ms after the cable`,
    ].join('; '),
  )
  assert.deepEqual(lost, [])
  assert.equal(done + parked.length, ids.size)
  return { runs, parked }
}

/** All that it held, but what must not start twice: that is parked. Nothing else has run twice. */
function assertRanElsewhere(t: TestContext, cut: Cut, { runs, parked }: Aftermath): void {
  const waits = [...cut.held].flatMap((id) => {
    const rerun = runs.find((run) => run.id === id && run.member !== cut.victim && run.start > cut.at)
    if (rerun === undefined) assert.ok(parked.includes(id), `${id} has not run elsewhere`)
    return rerun === undefined ? [] : [Math.round(rerun.start - cut.at)]
  })
  t.diagnostic(
    `of what it held ${waits.length} ran elsewhere, ${Math.min(...waits)} to ${Math.max(...waits)} ms after the cut`,
  )
  assert.ok(waits.every((ms) => ms < rerunWithinMs))
  assert.ok(parked.every((id) => cut.held.has(id)))
  assert.ok(doubledOf(runs).every((id) => cut.held.has(id)))
}

/** The ids of the tasks that have run more than once. */
function doubledOf(runs: readonly PlacedRun[]): readonly string[] {
  return [...Map.groupBy(runs, ({ id }) => id)].flatMap(([id, own]) => (own.length > 1 ? [id] : []))
}
