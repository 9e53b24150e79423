import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The smallest service that shows the point: one operation, one handler and one task, in TypeScript. */
const files: Readonly<Record<string, string>> = {
  'macaron.yaml': 'name: fresh\nwith_async: true\nworker_count: 1\n',
  'apis/fresh.yaml': `openapi: 3.0.3
info: { title: Fresh, version: '1.0' }
paths:
  /notes:
    post:
      operationId: notes.doNote
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Note' }
      responses:
        '200':
          description: Taken
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Taken' }
components:
  schemas:
    Note:
      type: object
      required: [text]
      properties: { text: { type: string } }
    Taken:
      type: object
      required: [task]
      properties: { task: { type: string } }
`,
  'notes.ts': `import { writeFileSync } from 'node:fs'
import { asyncTask, currentRequest } from 'macaron'
import { type Note, Taken } from './apis/fresh.gen.ts'

export const writeNote = asyncTask(async function writeNote(text: string): Promise<void> {
  writeFileSync('note.json', JSON.stringify({ text, url: currentRequest()?.url, pid: process.pid }))
})

export function doNote(note: Note): Taken {
  return new Taken({ task: writeNote.fire(note.text).id })
}
`,
}

/** Writes the service into `folder`. */
export function writeService(folder: string): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
