import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { asyncTask } from '../../src/tasks/async-task.ts'
import { defaultOptions, type TaskOptions } from '../../src/tasks/options.ts'
import { registry, TaskRegistry } from '../../src/tasks/registry.ts'

const thisFile = fileURLToPath(import.meta.url)

suite('asyncTask', () => {
  test('takes the name of the function, or the one that is given', () => {
    const own = asyncTask(function ownName() {})
    const given = asyncTask('mail.send-now_2', () => 1)
    const constant = async () => 1
    assert.deepEqual(
      [own.taskName, own.name, given.taskName, given.name],
      ['ownName', 'ownName', 'mail.send-now_2', 'mail.send-now_2'],
    )
    assert.equal(asyncTask(constant).taskName, 'constant')
  })

  test('gives a function that runs here and now, with its arguments, result and errors', async () => {
    const sum = asyncTask('sum', (a: number, b: number) => a + b)
    const failing = asyncTask('failing', async () => {
      throw new RangeError('no')
    })
    assert.equal(sum(2, 3), 5)
    await assert.rejects(failing(), RangeError)
  })

  test('registers the function with its checked options and the line that declared it', () => {
    const fn = () => 1
    asyncTask('placed', fn, { retries: 4 })
    const definition = registry.find('placed')
    assert.equal(definition?.fn, fn)
    assert.equal(definition?.options.retries, 4)
    assert.match(definition?.place ?? '', new RegExp(`^${thisFile}:\\d+$`))
    const line = Number(definition?.place.split(':').at(-1))
    assert.ok(line > 25 && line < 50, String(line))
  })

  test('a name taken twice fails, naming both files and lines, whatever the files are called', async () => {
    await import('./fixtures/first.ts')
    const first = fileURLToPath(new URL('fixtures/first.ts', import.meta.url))
    for (const other of ['second file.ts', 'async-task.ts']) {
      const url = new URL(`fixtures/${other}`, import.meta.url)
      const line = other === 'async-task.ts' ? 4 : 3
      await assert.rejects(import(url.href), {
        code: 'TASK_DUPLICATE',
        message: `Two tasks are named "twin": ${first}:7 and ${fileURLToPath(url)}:${line}. Give one another name: asyncTask('name', fn).`,
      })
    }
  })

  test('a module that is loaded twice is said to be', async () => {
    await import('./fixtures/first.ts')
    const again = new URL('fixtures/first.ts?again', import.meta.url)
    await assert.rejects(import(again.href), {
      code: 'TASK_DUPLICATE',
      message: /If the file has only one, it was loaded twice/,
    })
  })

  test('refuses a function without name, with the place', () => {
    const place = new RegExp(`^${thisFile}:\\d+: this task has no name`)
    assert.throws(() => asyncTask(() => 1), { code: 'TASK_UNNAMED', message: place })
    assert.throws(() => asyncTask('', () => 1), { code: 'TASK_UNNAMED', message: place })
  })

  for (const name of ['9lives', 'a b', 'a:b', '-a', 'a\n', 'ä', 'x'.repeat(129), 'a/b', '{}']) {
    test(`${JSON.stringify(name).slice(0, 20)} can’t name a task`, () => {
      assert.throws(() => asyncTask(name, () => 1), {
        code: 'BAD_TASK_NAME',
        message: /async-task\.test\.ts:\d+: .* can't name a task/,
      })
      assert.equal(registry.find(name), undefined)
    })
  }

  test('refuses what is no function', () => {
    for (const fn of [undefined, null, 5, 'fn', {}]) {
      assert.throws(() => asyncTask('nofn', fn as () => void), {
        code: 'TASK_UNNAMED',
        message: /asyncTask needs a function/,
      })
    }
    assert.throws(() => asyncTask({} as () => void), { code: 'TASK_UNNAMED' })
    assert.throws(() => asyncTask(function bound() {}.bind(null)), {
      code: 'BAD_TASK_NAME',
      message: /"bound bound"/,
    })
  })

  test('refuses bad options with the place, and registers nothing', () => {
    for (const options of [{ retries: -1 }, { retrys: 1 }, { at: 5 }, null, 5, () => 1]) {
      assert.throws(() => asyncTask('misoptioned', () => 1, options as TaskOptions), {
        code: 'BAD_TASK_OPTION',
        message: /async-task\.test\.ts:\d+: task misoptioned: /,
      })
    }
    assert.equal(registry.find('misoptioned'), undefined)
  })
})

suite('a registry', () => {
  test('knows its tasks by name, in the order they came, and the nearest to a mistyped one', () => {
    const tasks = new TaskRegistry()
    for (const name of ['sendEmail', 'sendSms'])
      tasks.add({ name, fn: () => 1, options: defaultOptions, place: 'x:1' })
    assert.deepEqual(tasks.names(), ['sendEmail', 'sendSms'])
    assert.equal(tasks.nearest('send_emial'), 'sendEmail')
    assert.equal(tasks.nearest('resize'), undefined)
    assert.equal(tasks.find('toString'), undefined)
  })
})
