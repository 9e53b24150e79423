import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A disk that is always full, where the system has one. */
const noFullDisk = existsSync('/dev/full') ? false : 'there is no /dev/full'

const program = fileURLToPath(new URL('fixtures/log.ts', import.meta.url))

function output(format: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, format], (_error, stdout) => resolve(stdout))
  })
}

suite('what a process logs', () => {
  test('json is a document a line with level, time, role and message, without secrets, complete even at SIGKILL', async () => {
    const text = await output('json')
    assert.ok(!text.includes('hunter2'), text)
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map((line) => [line.level, line.msg]),
      [
        [30, 'deep fields'],
        [40, 'lists'],
        [50, 'an error'],
        [50, 'bare'],
        [30, 'GET /x?token=[hidden]'],
        [60, 'the last words'],
      ],
    )
    assert.ok(lines.every((line) => line.role === 'executor 1' && !Number.isNaN(Date.parse(line.time))))
    assert.equal(lines[0].callId, 'c1')
    assert.match(lines[2].err.stack, /log\.ts/)
    assert.equal(lines[3].err.cause.message, 'refused: Bearer [hidden]')
  })

  test('pretty is for people, without secrets, complete even at SIGKILL', async () => {
    const text = await output('pretty')
    assert.ok(!text.includes('hunter2'), text)
    assert.match(text, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: executor 1: deep fields \{.*"callId":"c1".*\}$/m)
    assert.match(text, /ERROR: executor 1: an error/)
    assert.match(text, /FATAL: executor 1: the last words \{"last":true\}$/m)
  })

  for (const format of ['json', 'pretty']) {
    test(`a reader that goes away does not end the process with an error (${format})`, async () => {
      const child = spawn(process.execPath, [program, format], { stdio: ['ignore', 'pipe', 'pipe'] })
      child.stdout.destroy()
      assert.deepEqual(await lastWords(child), ['', 'SIGKILL'])
    })

    test(`nor does a full disk (${format})`, { skip: noFullDisk }, async (t) => {
      const full = openSync('/dev/full', 'w')
      t.after(() => closeSync(full))
      const child = spawn(process.execPath, [program, format], { stdio: ['ignore', full, 'pipe'] })
      assert.deepEqual(await lastWords(child), ['', 'SIGKILL'])
    })
  }

  test('a reader slower than the process gets every line whole', async () => {
    const child = spawn(process.execPath, [program, 'json', '20000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += chunk
      await nextTurn()
    }
    const counts = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).count)
      .filter((count) => count !== undefined)
    assert.deepEqual(
      counts,
      Array.from({ length: 20_000 }, (_, index) => index),
    )
  })
})

/** What a child said on standard error, and the signal that ended it. */
async function lastWords(child: ChildProcess): Promise<readonly unknown[]> {
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const [, signal] = await once(child, 'close')
  return [complaints, signal]
}
