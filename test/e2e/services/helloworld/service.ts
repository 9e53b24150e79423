import { appendFileSync } from 'node:fs'
import { currentCallId, defineService } from 'macaron'

function write(file: string, line: object): void {
  appendFileSync(new URL(file, import.meta.url), `${JSON.stringify(line)}\n`)
}

export const service = defineService({
  register(fastify) {
    fastify.addHook('onSend', async (_request, reply) => void reply.header('x-hooked', 'yes'))
  },
  onStart: ({ role }) => write('roles.ndjson', { role, hook: 'start' }),
  onStop: ({ role }) => write('roles.ndjson', { role, hook: 'stop' }),
  errorReporter: (title, data) => write('reports.ndjson', { title, data, callId: currentCallId() }),
})
