import { isDeepStrictEqual } from 'node:util'
import { payload } from '../peers/queue.ts'

/** What the endpoint answers to `body`. */
const expected = { ok: true, id: payload.name }

/** Bodies that the spec forbids. Members too many are none of them: by Fastify's defaults they are removed, not refused. */
const forbidden = [
  { ...payload, name: '' },
  { ...payload, name: undefined },
  { ...payload, email: {} },
]

/**
 * Throws unless the endpoint takes a good body, gives the whole reply, and refuses bad bodies with a 400: something faster that does less is nothing to
 * compare with.
 */
export async function prove(title: string, url: string): Promise<void> {
  const good = await post(url, payload)
  const text = await good.text()
  if (good.status !== 200 || !isDeepStrictEqual(JSON.parse(text), expected))
    throw new Error(`${title} answered a good body with ${good.status} ${text}`)
  for (const bad of forbidden) {
    const { status } = await post(url, bad)
    if (status !== 400)
      throw new Error(`${title} answered ${JSON.stringify(bad)} with ${status}, not with 400`)
  }
}

async function post(url: string, body: unknown): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
}
