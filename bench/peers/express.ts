import { fromPeers } from '../harness/peers.ts'
import { schema } from './endpoint-schema.ts'
import { listen, newApp } from './express-app.ts'

/** The endpoint as one writes it by hand on Express, with Ajv for body and reply. `node express.ts PORT`. */
type Validate = ((value: unknown) => boolean) & { readonly errors: unknown }

const { Ajv } = fromPeers<{ Ajv: new () => { compile(schema: unknown): Validate } }>('ajv')
const ajv = new Ajv()
const isSignup = ajv.compile(schema.body)
const isDone = ajv.compile(schema.response[200])

const app = newApp()
app.post('/plain', ({ body }, response) => {
  if (!isSignup(body)) return response.status(400).json({ errors: isSignup.errors })
  const reply = { ok: true, id: body.name }
  if (!isDone(reply)) return response.status(500).json({ errors: isDone.errors })
  response.json(reply)
})
listen(app)
