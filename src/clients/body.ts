import type { BodyContent, FileField, ValueFault } from '../spec/api.ts'
import type { ValueCheck } from '../spec/checker.ts'
import { setOwn } from '../spec/plain.ts'
import { formPairs } from '../spec/write-form.ts'
import { isSentFile, readFile, type SentFile } from './files.ts'

/** The body of a call: checked by the schema of the operation's first media type, and written as that has it. */

export interface SentBody {
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

export interface BodyRules {
  readonly content: BodyContent
  readonly check: ValueCheck
  /** The fields of a form that are files. */
  readonly files: ReadonlyMap<string, FileField>
}

/** What is wrong with a body; `label` begins the paths. */
export function bodyFaults(
  body: unknown,
  { content, check, files }: BodyRules,
  label: string,
): readonly ValueFault[] {
  if (content.kind === 'file') {
    const message = 'must be a file: a Blob, bytes, or an UploadedFile'
    return isSentFile(body) ? [] : [{ path: label, message }]
  }
  const [values, wrong] = files.size === 0 ? [body, []] : withStandIns(body, { files, label })
  if (wrong.length === 0 && check.fits(values, 'request')) return []
  // A value that says itself how JSON has it (toJSON) fits as what will be sent.
  if (content.kind === 'json' && check.fits(asSent(values), 'request')) return []
  const told = check.faults(values, 'request', label)
  return [...wrong, ...told.filter(({ path }) => !wrong.some((fault) => path.startsWith(fault.path)))]
}

/** A form with short texts in place of its files, as the schema takes files for; each one differs, for lists of unique items. */
function withStandIns(
  body: unknown,
  { files, label }: { readonly files: BodyRules['files']; readonly label: string },
): readonly [unknown, readonly ValueFault[]] {
  if (typeof body !== 'object' || body === null) return [body, []]
  const faults: ValueFault[] = []
  const values: Record<string, unknown> = { ...body }
  for (const [name, { many }] of files) {
    const given = values[name]
    if (given === undefined) continue
    const list: readonly unknown[] = many && Array.isArray(given) ? given : [given]
    if (!list.every(isSentFile) || (many && !Array.isArray(given))) {
      faults.push({
        path: `${label}.${name}`,
        message: `must be ${many ? 'a list of files' : 'a file'}: Blobs, bytes, or UploadedFiles`,
      })
    }
    setOwn(values, name, many ? list.map((_, index) => `file ${index}`) : 'file')
  }
  return [values, faults]
}

function asSent(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    return value
  }
}

/** A checked body as it is sent; undefined where there is none. */
export async function encodeBody(
  body: unknown,
  { content, files }: BodyRules,
): Promise<SentBody | undefined> {
  if (body === undefined) return undefined
  switch (content.kind) {
    case 'json':
      return sent(
        JSON.stringify(body),
        content.mediaType.includes('*') ? 'application/json' : content.mediaType,
      )
    case 'text':
      return sent(
        String(body),
        `${content.mediaType.includes('*') ? 'text/plain' : content.mediaType}; charset=utf-8`,
      )
    case 'form':
      return sent(formPairs(content, Object(body), () => false).join('&'), content.mediaType)
    case 'multipart':
      return await multipart(content, Object(body), files)
    case 'file': {
      // Checked to be one.
      const { bytes, type } = await readFile(body as SentFile)
      const declared = content.mediaType.includes('*') ? undefined : content.mediaType
      return { bytes, headers: { 'content-type': declared ?? type ?? 'application/octet-stream' } }
    }
  }
}

function sent(text: string, type: string): SentBody {
  return { bytes: Buffer.from(text), headers: { 'content-type': type } }
}

async function multipart(content: BodyContent, body: object, files: BodyRules['files']): Promise<SentBody> {
  const form = new FormData()
  for (const pair of formPairs(content, body, (name) => files.has(name))) {
    const [name = '', text = ''] = pair.split('=').map(decodeURIComponent)
    form.append(name, text)
  }
  const values: Readonly<Record<string, unknown>> = { ...body }
  for (const [name, { mediaTypes }] of files) {
    for (const file of [values[name]].flat().filter(isSentFile)) {
      const read = await readFile(file)
      const declared = mediaTypes?.find((type) => !type.includes('*'))
      const blob = new Blob([new Uint8Array(read.bytes)], {
        type: read.type ?? declared ?? 'application/octet-stream',
      })
      form.append(name, blob, read.name ?? name)
    }
  }
  // The platform's own writing of a form; its boundary is in the content type.
  const written = new Response(form)
  const headers = { 'content-type': written.headers.get('content-type') ?? content.mediaType }
  return { bytes: new Uint8Array(await written.arrayBuffer()), headers }
}
