import { buildHttp } from '../../src/http/server.ts'
import { answerInMemory } from '../harness/in-memory.ts'
import { plainHttp } from './plain-http.ts'

/** Our HTTP server without the rest of a service, and without a port. */
const { server } = await buildHttp(await plainHttp(0))
answerInMemory(server)
