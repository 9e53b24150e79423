import { openHttp } from '../../src/http/server.ts'
import { sayReady } from '../harness/ready.ts'
import { plainHttp } from './plain-http.ts'

/** The HTTP server without the rest of a service. `node http-alone.ts PORT`. */
await openHttp(await plainHttp(Number(process.argv[2])))
sayReady()
