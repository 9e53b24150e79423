import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { developed } from './support/developed.ts'

test('a task that runs when its code changes is given back at no cost and runs as the new code', async (t) => {
  const { service, save, says } = await developed(t, { files: { hang: '' } })
  await says(/Runs tasks in 1 executor: note/)
  const { id } = (await service.post('/notes', {})).body
  await says(/Task note starts/)
  const code = readFileSync(join(service.folder, 'tasks/note.ts'), 'utf8')
  save('tasks/note.ts', code.replace("'zero'", "'one'"))
  await says(/Reloaded/)
  rmSync(join(service.folder, 'hang'))
  save('tasks/note.ts', code.replace("'zero'", "'two'"))
  await says(/Task note done/)
  const [task] = await service.tasks()
  assert.deepEqual([task?.id, task?.state, task?.attempts, task?.crashes], [id, 'done', 1, 0])
})
