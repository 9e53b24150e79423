import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { developed } from '../e2e/support/developed.ts'
import { signal } from '../e2e/support/processes.ts'
import { seeded } from '../e2e/support/random.ts'
import { until } from '../support/until.ts'

const rounds = 10
const stepsOfRound = 25

test('a service under development outlives whatever its author and the system do to it', async (t) => {
  const random = seeded((line) => t.diagnostic(line))
  for (let round = 0; round < rounds; round++) {
    await t.test(`round ${round}`, async (inner) => {
      const { service, save, says, untilWord } = await developed(inner, {})
      await says(/Runs tasks in 1 executor/)
      const steps: readonly [() => void, ...(() => void)[]] = [
        () => save('pages/the-word.ts', wordFile(`w${random.whole(0, 999)}`)),
        () => save('pages/the-word.ts', 'export const'),
        () => save('pages/the-word.ts', 'throw new Error("at import")\n'),
        () => save('macaron.yaml', 'name: pages\nwith_async: true\nworker_cuont: 1\n'),
        () => save('macaron.yaml', 'name: pages\nwith_async: true\n'),
        () => save('macaron.yaml', 'name: pages\n'),
        () => killOne(service.pids(random.pick(['server', 'worker', 'executor'])), random.whole(0, 1)),
        () => void service.get('/word').catch(() => undefined),
        () => void service.post('/notes', {}).catch(() => undefined),
      ]
      for (let step = 0; step < stepsOfRound; step++) {
        random.pick(steps)()
        await delay(random.pick([0, random.whole(0, 100), random.whole(100, 900)]))
      }
      // Mended, and after the last death: it serves what its files say.
      save('macaron.yaml', 'name: pages\nwith_async: true\n')
      save('pages/the-word.ts', wordFile(`last${round}`))
      await untilWord(`last${round}`)
      const { body } = await service.post('/notes', {})
      await until(
        async () => (await service.tasks()).some(({ id, state }) => id === body.id && state === 'done'),
        {
          what: 'a task to be done',
          everyMs: 200,
        },
      )
      const counts = () =>
        (['server', 'worker', 'executor'] as const).map((role) => service.pids(role).length)
      await until(() => String(counts()) === '2,2,1', { what: `nothing left over of ${counts()}` })
      service.signalGroup('SIGINT')
      await until(() => service.isGone(), { what: 'every process to be gone' })
      assert.equal(await service.exit, 0)
    })
  }
})

function killOne(pids: readonly number[], index: number): void {
  const pid = pids[index]
  if (pid !== undefined) signal(pid, 'SIGKILL')
}

function wordFile(word: string): string {
  return `export const theWord = '${word}'\n`
}
