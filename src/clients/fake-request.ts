import { Readable } from 'node:stream'
import { UploadedFile } from '../core/uploaded-file.ts'
import type { BodyContent, Operation, RawRequest, ReceivedForm } from '../spec/api.ts'
import { parseQuery } from '../spec/raw-query.ts'
import type { ClientOperation } from './operations.ts'
import type { WireRequest } from './wire.ts'

/** A request as the other service's server would hand it to its checks. */
export async function rawOf({ operation }: ClientOperation, request: WireRequest): Promise<RawRequest> {
  const { url, headers, body } = request
  const content = operation.body?.content[0]
  return {
    params: paramsIn(url.pathname, operation),
    query: url.search.slice(1),
    headers,
    body:
      body === undefined || content === undefined
        ? undefined
        : await bodyOf(Buffer.from(body), content, headers),
    content,
  }
}

/** The path parameters, decoded as routers do; what goes before the operation's path is the address of the service. */
function paramsIn(path: string, { path: template }: Operation): Readonly<Record<string, string>> {
  const names = [...template.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name)
  const segments = template.split('/').map((segment) =>
    segment
      .split(/\{[^{}]+\}/)
      .map(literally)
      .join('([^/]*)'),
  )
  const texts = new RegExp(`${segments.join('/')}$`).exec(path)?.slice(1) ?? []
  return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(texts[index] ?? '')]))
}

/** A text as a regular expression for just that text. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

async function bodyOf(
  bytes: Buffer,
  { kind }: BodyContent,
  headers: WireRequest['headers'],
): Promise<unknown> {
  switch (kind) {
    case 'json':
      return JSON.parse(bytes.toString('utf8'))
    case 'text':
      return bytes.toString('utf8')
    case 'form':
      return { texts: parseQuery(bytes.toString('utf8')), files: new Map() }
    case 'multipart':
      return await formOf(bytes, headers)
    case 'file':
      return uploaded(bytes, { name: undefined, type: headers['content-type'] ?? '' })
  }
}

async function formOf(bytes: Buffer, headers: WireRequest['headers']): Promise<ReceivedForm> {
  const texts = new Map<string, string[]>()
  const files = new Map<string, UploadedFile[]>()
  const form = await new Response(new Uint8Array(bytes), { headers: { ...headers } }).formData()
  for (const [name, value] of form) {
    if (typeof value === 'string') texts.set(name, [...(texts.get(name) ?? []), encodeURIComponent(value)])
    else
      files.set(name, [...(files.get(name) ?? []), uploaded(Buffer.from(await value.arrayBuffer()), value)])
  }
  return { texts, files }
}

function uploaded(bytes: Buffer, { name, type }: { name: string | undefined; type: string }): UploadedFile {
  const facts = { name, type, size: bytes.length, limit: bytes.length }
  return new UploadedFile(facts, () => Readable.from([bytes]))
}
