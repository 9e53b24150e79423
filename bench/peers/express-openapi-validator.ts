import { fromPeers } from '../harness/peers.ts'
import { benchSpec } from '../harness/places.ts'
import { listen, newApp } from './express-app.ts'

/**
 * The endpoint on express-openapi-validator, as its documentation shows it: a middleware checks bodies and, where it is told to, replies against
 * the spec that our service is run from. `node express-openapi-validator.ts PORT`.
 */
interface Validator {
  middleware(options: { apiSpec: string; validateRequests: true; validateResponses: true }): unknown
}

const validator = fromPeers<Validator>('express-openapi-validator')
const app = newApp()
// Express answers refused requests by itself, with the status of their error, and would print each to stderr.
app.set('env', 'test')
app.use(validator.middleware({ apiSpec: benchSpec, validateRequests: true, validateResponses: true }))
app.post('/plain', ({ body }, response) => response.json({ ok: true, id: body.name }))
listen(app)
