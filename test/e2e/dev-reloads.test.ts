import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { developed } from './support/developed.ts'
import { signal } from './support/processes.ts'
import { type Random, seeded } from './support/random.ts'
import type { RunningService } from './support/service.ts'

/** A service whose servers say in a file of their own, some time after they were ready, that they were. */
async function telling(t: TestContext, files: Record<string, string> = {}) {
  const dev = await developed(t, {
    files: { 'service.ts': service, 'pages/the-word.ts': wordFile('zero'), ...files },
  })
  await dev.says(/Runs tasks in 1 executor/)
  /** The pid of the server that has loaded this word. */
  const loaded = (word: string) =>
    until(() => numberIn(join(dev.service.folder, `loaded-${word}`)), { what: `a server with ${word}` })
  return { ...dev, loaded }
}

test('a stop while the next generation waits for the earlier worker starts nothing any more', async (t) => {
  const { service, save, loaded } = await telling(t)
  const resume = await stopWorkers(service)
  save('pages/the-word.ts', wordFile('one'))
  const next = await loaded('one')
  service.signalGroup('SIGINT')
  await until(() => !isAlive(next), { what: 'the next server to be gone' })
  resume()
  await endedWell(service)
})

test('a second save while the next generation waits for the earlier worker leaves one server and one worker', async (t) => {
  const { service, save, says, loaded, untilWord } = await telling(t)
  const resume = await stopWorkers(service)
  save('pages/the-word.ts', wordFile('one'))
  await loaded('one')
  save('pages/the-word.ts', wordFile('two'))
  const last = await loaded('two')
  resume()
  await untilWord('two')
  assert.equal((await service.get('/word')).body.pid, last)
  await assertNothingLeftOver(service)
  await service.post('/notes', {})
  await says(/Task note done/)
  assert.doesNotMatch(service.output, /died/)
  service.signalGroup('SIGINT')
  await endedWell(service)
})

test('what took over goes on where a save has come meanwhile that does not run', async (t) => {
  const { service, save, says, loaded, untilWord } = await telling(t)
  const resume = await stopWorkers(service)
  save('pages/the-word.ts', wordFile('one'))
  const next = await loaded('one')
  save('pages/the-word.ts', 'export const')
  for (const _ of ['one', 'export const']) await says(/Changed/)
  resume()
  await says(/the service goes on as it was before/)
  await untilWord('one')
  assert.equal((await service.get('/word')).body.pid, next)
  // Its worker is started from the files as they are by then.
  await service.says(/Tasks wait until the next change: their worker could not be started: .*the-word\.ts/)
  save('pages/the-word.ts', wordFile('two'))
  await untilWord('two')
  await service.post('/notes', {})
  await says(/Task note done/)
})

test('a second Ctrl-C does not wait for requests of an earlier generation', async (t) => {
  const { service, save, says, untilWord } = await telling(t)
  const cut = assert.rejects(service.get('/slow'))
  await says(/slow begins/)
  save('pages/the-word.ts', wordFile('one'))
  await untilWord('one')
  await says(/Reloaded/)
  const again = () => {
    service.signalGroup('SIGINT')
    return service.isGone()
  }
  // Two that come within 200 ms are one.
  await until(again, { what: 'every process to be gone', timeoutMs: 8_000, everyMs: 250 })
  await cut
})

test('after twenty saves in bursts the last code answers, no request has failed, and nothing else is left', async (t) => {
  const { service, save, word, untilWord } = await telling(t)
  const random = seeded((line) => t.diagnostic(line))
  const failed: unknown[] = []
  let over = false
  const caller = (async () => {
    while (!over) await word().catch((error: unknown) => failed.push(error))
  })()
  await saveAll(20, { save, random })
  await untilWord('w19')
  over = true
  await caller
  assert.deepEqual(failed, [])
  await assertNothingLeftOver(service)
  service.signalGroup('SIGINT')
  await endedWell(service)
})

test('Ctrl-C at any moment of a reload ends everything', async (t) => {
  const random = seeded((line) => t.diagnostic(line))
  for (let round = 0; round < 6; round++) {
    const { service, save } = await telling(t)
    const saving = saveAll(random.whole(1, 4), { save, random })
    await delay(random.whole(0, 1500))
    service.signalGroup('SIGINT')
    await saving
    await endedWell(service)
  }
})

test('a changed spec reloads once, although its generated file is loaded and written anew', async (t) => {
  const { service, save, says } = await developed(t, {
    files: { 'pages/the-word.ts': `import '../apis/pages.gen.ts'\n${wordFile('zero')}` },
  })
  await says(/Runs tasks in 1 executor/)
  const from = service.output.length
  const spec = readFileSync(join(service.folder, 'apis/pages.yaml'), 'utf8')
  save('apis/pages.yaml', spec.replace('/word:', '/verb:'))
  await says(/Reloaded/)
  save('pages/more.ts', 'export const more = 1\n')
  await says(/Reloaded/)
  assert.match(readFileSync(join(service.folder, 'apis/pages.gen.ts'), 'utf8'), /GET \/verb/)
  const told = [...service.output.slice(from).matchAll(/Changed: (.*)/g)].map(([, files]) => files)
  assert.deepEqual(told, ['apis/pages.yaml', 'pages/more.ts'])
})

test('a port in use at the start is told, and taken as soon as it is free', async (t) => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { service, says, word } = await developed(t, { port })
  await says(new RegExp(`${port}.*in use`), /The service does not run \(see above\)/)
  other.close()
  await until(() => word().catch(() => undefined), { what: 'the service to answer' })
  assert.equal(service.output.match(/in use/g)?.length, 1, 'told once, however often it was tried')
  service.signalGroup('SIGINT')
  await endedWell(service)
})

test('where the system gives out no more watches, changes are seen all the same, with a notice', async (t) => {
  if (!mayLimitWatches()) return t.skip('this user may not make a namespace with a limit of its own')
  const { service, save, says, untilWord } = await developed(t, { through: withWatches(2) })
  await says(/Runs tasks in 1 executor/)
  for (const word of ['one', 'two']) {
    save('pages/the-word.ts', wordFile(word))
    await says(/Changed: pages\/the-word\.ts/)
    await untilWord(word)
  }
  assert.equal(service.output.match(/looked for every half second, since .*watchers reached/g)?.length, 1)
  service.signalGroup('SIGINT')
  await endedWell(service)
})

/** What runs a program where it and its children have no more than so many watches on files. */
function withWatches(most: number): readonly [string, ...string[]] {
  const limited = `echo ${most} > /proc/sys/user/max_inotify_watches && exec "$@"`
  return ['unshare', '--user', '--map-root-user', 'sh', '-c', limited, 'sh']
}

function mayLimitWatches(): boolean {
  const [program, ...args] = withWatches(2)
  return spawnSync(program, [...args, 'true']).status === 0
}

/** Stops every worker, so that whoever waits for one waits as long as it may; the function returned lets them go on. */
async function stopWorkers(service: RunningService): Promise<() => void> {
  // The second is kept ready, and started when the first has said that it runs.
  await until(() => service.pids('worker').length === 2, { what: 'two workers' })
  const pids = service.pids('worker')
  for (const pid of pids) signal(pid, 'SIGSTOP')
  return () => {
    for (const pid of pids) signal(pid, 'SIGCONT')
  }
}

interface Saving {
  save(path: string, text: string): void
  readonly random: Random
}

/** Chance decides when: sometimes within one burst, sometimes in the middle of what the save before has begun. */
async function saveAll(count: number, { save, random }: Saving): Promise<void> {
  for (let number = 0; number < count; number++) {
    save('pages/the-word.ts', wordFile(`w${number}`))
    await delay(random.pick([random.whole(0, 40), random.whole(0, 400), random.whole(200, 900)]))
  }
}

/** One server and one worker run the service, and one of each is kept ready for the next reload. */
async function assertNothingLeftOver(service: RunningService): Promise<void> {
  const counts = () => (['server', 'worker', 'executor'] as const).map((role) => service.pids(role).length)
  await until(() => String(counts()) === '2,2,1', { what: 'two servers, two workers and one executor' })
}

async function endedWell(service: RunningService): Promise<void> {
  await until(() => service.isGone(), { what: 'every process to be gone' }).catch(async (error: Error) => {
    throw new Error(`${error.message}; ${await service.describe()}`)
  })
  assert.equal(await service.exit, 0, service.output)
}

function numberIn(file: string): number | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text === '' ? undefined : Number(text)
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

function wordFile(word: string): string {
  return `export const theWord = '${word}'\n`
}

const service = `
import { writeFileSync } from 'node:fs'
import { defineService } from 'macaron'
import { theWord } from './pages/the-word.ts'

const say = () => writeFileSync(new URL(\`loaded-\${theWord}\`, import.meta.url), String(process.pid))

export const service = defineService({
  onStart({ role }) {
    if (role === 'server') setTimeout(say, 300)
  },
})
`
