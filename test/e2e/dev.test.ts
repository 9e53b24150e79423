import assert from 'node:assert/strict'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { developed } from './support/developed.ts'

test('macaron dev', async (t) => {
  const { service, save, says, word, untilWord } = await developed(t, {
    files: { 'macaron.yaml': 'name: pages\n', 'pages/the-word.ts': broken },
  })

  await t.test(
    'a service that does not run when it is started answers 503 with the reason, and starts when it is mended',
    async () => {
      await says(/the-word\.ts:2.*import/s, /The service does not run \(see above\)/)
      const answer = await service.get('/word')
      assert.deepEqual([answer.status, answer.body.error], [503, 'SERVICE_BROKEN'])
      assert.match(String(answer.body.error_description), /the-word\.ts:2/)
      const page = await fetch(`${service.url}/word`, { headers: { accept: 'text/html,*/*' } })
      assert.match(await page.text(), /^The service does not run:\n\n.*the-word\.ts:2/s)
      save('pages/the-word.ts', wordFile('zero'))
      await untilWord('zero')
      await says(/pages is up: /)
    },
  )

  await t.test(
    'no request fails while code is saved in place and by rename, and the next ones get the new code',
    async () => {
      const failed: unknown[] = []
      let over = false
      const caller = (async () => {
        while (!over) await word().catch((error: unknown) => failed.push(error))
      })()
      save('pages/the-word.ts', wordFile('one'))
      await untilWord('one')
      // As editors do that replace the file.
      save('pages/the-word.ts~', wordFile('two'))
      renameSync(join(service.folder, 'pages/the-word.ts~'), join(service.folder, 'pages/the-word.ts'))
      await untilWord('two')
      over = true
      await caller
      assert.deepEqual(failed, [])
    },
  )

  await t.test(
    'mistakes are told with their place while the earlier code goes on; the next good save recovers',
    async () => {
      for (const { path, change, expected } of mistakes) {
        const good = readFileSync(join(service.folder, path), 'utf8')
        save(path, change(good))
        await says(expected, /the service goes on as it was before/)
        assert.equal(await word(), 'two')
        save(path, good)
        await says(/Reloaded in \d+ ms/)
      }
      assert.equal(await word(), 'two')
    },
  )

  await t.test(
    'a request under way is answered by the code it began with; a changed spec is served, its types written anew',
    async () => {
      const slow = service.get('/slow')
      await says(/slow begins/)
      const spec = readFileSync(join(service.folder, 'apis/pages.yaml'), 'utf8')
      save('pages/the-word.ts', wordFile('three'))
      save('apis/pages.yaml', spec.replace('/word:', '/verb:'))
      const verb = () => service.get('/verb').then(({ status }) => status === 200)
      await until(verb, { what: 'the new path', timeoutMs: 60_000 })
      assert.match(readFileSync(join(service.folder, 'apis/pages.gen.ts'), 'utf8'), /GET \/verb/)
      save('go', '')
      assert.deepEqual([(await slow).status, (await slow).body.word], [200, 'two'])
    },
  )

  await t.test('a server that dies is started again, and requests wait for it', async () => {
    process.kill(Number((await service.get('/verb')).body.pid), 'SIGKILL')
    await says(/The server died/)
    assert.equal((await service.get('/verb')).body.word, 'three')
  })

  await t.test('what is no part of the service reloads nothing', async () => {
    const from = service.output.length
    const others = ['.macaron/x.ts', 'n.txt', 'pages/.words.ts.swp', 'pages/words.ts~', 'pages/words.test.ts']
    for (const path of [...others, 'apis/pages.gen.ts']) save(path, '//')
    // What comes after them is told: so would they have been.
    save('pages/more.ts', 'export const more = 1\n')
    await says(/Reloaded/)
    const told = [...service.output.slice(from).matchAll(/Changed: (.*)/g)].map(([, files]) => files)
    assert.deepEqual(told, ['pages/more.ts'])
  })

  await t.test('Ctrl-C ends everything', async () => {
    service.signalGroup('SIGINT')
    assert.equal(await service.exit, 0)
    await until(() => service.isGone(), { what: 'every process to be gone' })
  })
})

const broken = "const a = 1\nimport { nothing from 'node:fs'\n"

function wordFile(word: string): string {
  return `export const theWord = '${word}'\n`
}

interface Mistake {
  readonly path: string
  change(good: string): string
  readonly expected: RegExp
}

const mistakes: readonly Mistake[] = [
  {
    path: 'pages/the-word.ts',
    change: (good) => `${good}enum Words { One }\n`,
    expected: /pages\/the-word\.ts:2.*enum/s,
  },
  {
    path: 'pages/words.ts',
    change: (good) => good.replace('const word =', 'const wrod ='),
    expected: /apis\/pages\.yaml:\d+.*Did you mean "wrod"/,
  },
  {
    path: 'macaron.yaml',
    change: (good) => `${good}port: eighty\n`,
    expected: /macaron\.yaml:2(:\d+)?: port must be/,
  },
]
