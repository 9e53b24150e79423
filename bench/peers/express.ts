import { fromPeers } from '../harness/peers.ts'
import { schema } from './endpoint-schema.ts'
import type { Payload } from './queue.ts'

/** The endpoint as one writes it by hand on Express, with Ajv for body and reply. `node express.ts PORT`. */
interface Express {
  (): App
  json(): unknown
}

interface App {
  use(middleware: unknown): void
  post(path: string, handler: (request: { body: Payload }, response: Response) => void): void
  disable(setting: string): void
  listen(port: number, host: string, listening: () => void): void
}

interface Response {
  status(code: number): Response
  json(body: unknown): void
}

type Validate = ((value: unknown) => boolean) & { readonly errors: unknown }

const express = fromPeers<Express>('express')
const { Ajv } = fromPeers<{ Ajv: new () => { compile(schema: unknown): Validate } }>('ajv')
const ajv = new Ajv()
const isSignup = ajv.compile(schema.body)
const isDone = ajv.compile(schema.response[200])

const app = express()
app.disable('x-powered-by')
app.use(express.json())
app.post('/plain', ({ body }, response) => {
  if (!isSignup(body)) return response.status(400).json({ errors: isSignup.errors })
  const reply = { ok: true, id: body.name }
  if (!isDone(reply)) return response.status(500).json({ errors: isDone.errors })
  response.json(reply)
})
app.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.({ id: 0, answer: 'ready' }))
process.on('disconnect', () => process.exit())
