import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundaryOf, MultipartParser } from '../../src/http/multipart/parser.ts'
import type { PartHead } from '../../src/http/multipart/part-head.ts'

interface Part {
  readonly head: PartHead
  readonly content: string
}

/** The parts of a body that arrives in pieces of these sizes. */
async function partsOf(
  body: Buffer,
  boundary: string,
  sizes: readonly number[] = [],
): Promise<readonly Part[]> {
  const parts: Part[] = []
  const parser = new MultipartParser(boundary, (head) => {
    const pieces: Buffer[] = []
    return {
      write: (bytes) => {
        pieces.push(Buffer.from(bytes))
        return pieces.length % 2 === 0 ? Promise.resolve() : undefined
      },
      end: () => void parts.push({ head, content: Buffer.concat(pieces).toString('latin1') }),
    }
  })
  let at = 0
  for (const size of sizes) {
    await parser.write(body.subarray(at, at + size))
    at += size
  }
  await parser.write(body.subarray(at))
  parser.end()
  return parts
}

const simple = (lines: string) => Buffer.from(lines.replace(/\n/g, '\r\n'))

test('what fetch writes is read again, whatever the pieces it arrives in', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'))
  const nasty = fc
    .array(fc.constantFrom('\r\n--', '\r', '\n', '--', 'b', '\r\n', '\0', 'x', '"'), { maxLength: 30 })
    .map((pieces) => pieces.join(''))
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
  const field = fc.record({ name, content: fc.oneof(bytes, nasty), isFile: fc.boolean() })
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.array(field, { maxLength: 6 }), sizes, async (fields, cuts) => {
      const form = new FormData()
      for (const { name: key, content, isFile } of fields) {
        if (isFile)
          form.append(key, new Blob([Buffer.from(content, 'latin1')], { type: 'image/png' }), 'a.png')
        else form.append(key, content)
      }
      const sent = new Response(form)
      const boundary = boundaryOf(sent.headers.get('content-type') ?? '')
      const parts = await partsOf(Buffer.from(await sent.bytes()), boundary, cuts)
      const expected = [...form].map(([key, value]) => [
        // Line breaks are written as CRLF, and lone surrogates as replacement characters.
        key.replace(/\r\n|\r|\n/g, '\r\n').toWellFormed(),
        typeof value === 'string' ? undefined : 'a.png',
      ])
      assert.deepEqual(
        parts.map(({ head }) => [head.name, head.filename]),
        expected,
      )
      for (const [index, { content, isFile }] of fields.entries()) {
        const wanted = isFile
          ? content
          : Buffer.from(content.replace(/\r\n|\r|\n/g, '\r\n'), 'utf8').toString('latin1')
        assert.equal(parts[index]?.content, wanted)
      }
    }),
    { numRuns: 300, seed: 20261125 },
  )
})

test('preamble, padding, epilogue and empty parts are read', async () => {
  const body = simple(
    'hello\n--b \t\nContent-Disposition: form-data; name="a"\n\n\n--b\ncontent-disposition:form-data;name=c;filename="x\\"y.txt"\nContent-Type: Text/CSV; charset=x\n\n1\n--b--\nbye\n--b',
  )
  assert.deepEqual(await partsOf(body, 'b'), [
    { head: { name: 'a', filename: undefined, type: 'text/plain' }, content: '' },
    { head: { name: 'c', filename: 'x"y.txt', type: 'text/csv' }, content: '1' },
  ])
})

test('names of files lose their folders and control characters', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['filename="C:\\fakepath\\a b.png"', 'a b.png'],
    ['filename="../../etc/passwd"', 'passwd'],
    ['filename=".."', ''],
    ['filename="a%22b%0D%0Ac"', 'a"bc'],
    ['filename="a\0b"', 'ab'],
    ['filename="naïve 🙈.txt"', 'naïve 🙈.txt'],
    ['filename="fallback"; filename*=UTF-8\'\'na%C3%AFve%2F..%2Fx.txt', 'x.txt'],
    ['filename="kept"; filename*=UTF-8\'\'%zz', 'kept'],
    ['filename=""', ''],
    // As browsers write a name that ends in a backslash.
    ['filename="folder\\"', ''],
    ['filename="folder\\"; x=y;', ''],
    ['filename="say \\"hi\\".txt" ; ', 'say "hi".txt'],
  ]
  for (const [text, filename] of cases) {
    const body = simple(`--b\nContent-Disposition: form-data; name=f; ${text}\n\n\n--b--`)
    const [part] = await partsOf(body, 'b')
    assert.equal(part?.head.filename, filename, text)
  }
})

const disposition = 'Content-Disposition: form-data; name="a"'

for (const [what, body, told] of [
  ['no part at all', 'nothing', /ends before its last boundary/],
  ['nothing', '', /ends before its last boundary/],
  ['a part that does not end', `--b\n${disposition}\n\nx`, /ends before its last boundary/],
  ['a body that ends after a boundary', `--b\n${disposition}\n\nx\n--b\n`, /ends before its last boundary/],
  ['a boundary with something behind it', `--bX\n${disposition}\n\nx\n--b--`, /followed by something else/],
  ['a part without a header', '--b\n\nx\n--b--', /has no header/],
  ['a part without a disposition', '--b\nContent-Type: text/plain\n\nx\n--b--', /no "Content-Disposition/],
  ['a part of another disposition', '--b\nContent-Disposition: attachment; name=a\n\nx\n--b--', /form-data/],
  ['a part without a name', '--b\nContent-Disposition: form-data\n\nx\n--b--', /has no name/],
  ['a header line without a name', `--b\n${disposition}\nx\n\nx\n--b--`, /header line without a name/],
  ['an endless header', `--b\n${disposition}\nX: ${'x'.repeat(9000)}`, /longer than 8192 bytes/],
  ['base64', `--b\n${disposition}\nContent-Transfer-Encoding: base64\n\neA==\n--b--`, /Transfer-Encoding/],
  [
    'a header that is too long, and ends',
    `--b\n${disposition}\nX: ${'x'.repeat(9000)}\n\nx\n--b--`,
    /longer than 8192/,
  ],
  [
    'a second boundary with something behind it',
    `--b\n${disposition}\n\nx\n--bX\n${disposition}\n\ny\n--b--`,
    /something else/,
  ],
  [
    'a header that the last boundary cuts',
    `--b\n${disposition}\n\nx\n--b\nContent-Disp\n--b--`,
    /ends before its last boundary/,
  ],
  ['two dispositions', `--b\n${disposition}\nContent-Disposition: form-data; name=b\n\nx\n--b--`, /twice/],
  ['two names', `--b\n${disposition}; name="b"\n\nx\n--b--`, /twice/],
  ['two types', `--b\n${disposition}\nContent-Type: a/b\ncontent-type: c/d\n\nx\n--b--`, /twice/],
  [
    'a folded header',
    `--b\nContent-Disposition: form-data;\n name="a:b"\n\nx\n--b--`,
    /header line without a name/,
  ],
  [
    'a bare line break in a name',
    `--b\nContent-Disposition: form-data; name="a\vb"\n\nx\n--b--`,
    /line break/,
  ],
  ['rubbish behind a name', `--b\n${disposition} x="y"\n\nx\n--b--`, /not readable/],
  [
    'a quote that does not end',
    `--b\nContent-Disposition: form-data; name="a; filename=x\n\nx\n--b--`,
    /not readable/,
  ],
  ['a header that is not UTF-8', `--b\n${disposition}; filename="\xff"\n\nx\n--b--`, /not UTF-8/],
] as const) {
  test(`a form with ${what} is refused`, async () => {
    // A vertical tab stands for a bare line break.
    const bytes = Buffer.from(body.replace(/\n/g, '\r\n').replace('\v', '\n'), 'latin1')
    await assert.rejects(partsOf(bytes, 'b'), { code: 'FORM_UNREADABLE', status: 400, message: told })
  })
}

test('boundaries are taken as RFC 2046 allows them, and no others', () => {
  assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc')
  assert.equal(boundaryOf('multipart/form-data; charset=x; Boundary="a b:c"'), 'a b:c')
  for (const text of ['', 'boundary=', `boundary=${'x'.repeat(71)}`, 'boundary="a "', 'boundary="ä"']) {
    assert.throws(() => boundaryOf(`multipart/form-data; ${text}`), { code: 'FORM_UNREADABLE' })
  }
})

test('rubbish never ends in anything but a refusal', async () => {
  const scrap = fc.constantFrom(
    '--b',
    '\r\n',
    '--b--',
    disposition,
    ': ',
    '"',
    ';',
    'x',
    '\0',
    '\r\n\r\n',
    '--',
  )
  const texts = fc.array(scrap, { maxLength: 25 }).map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }),
      async (text, cuts) => {
        await partsOf(Buffer.from(text), 'b', cuts).catch((error: { code?: string }) => {
          assert.equal(error.code, 'FORM_UNREADABLE')
        })
      },
    ),
    { numRuns: 1500, seed: 20261125 },
  )
})

test('a header made to keep the reader busy takes no time to speak of', async () => {
  const started = performance.now()
  for (const unit of [';a="', ';a="\\', ';a=', '; ', 'a=";', '"\\"', ';a="x']) {
    const head = `Content-Disposition: form-data; name="a"${unit.repeat(8000 / unit.length)}`
    const part = `--b\r\n${head}\r\n\r\nx\r\n`
    await partsOf(Buffer.from(`${part.repeat(50)}--b--`), 'b').catch(() => undefined)
    // As many as a form may have, each the first and last of its own.
    for (let form = 0; form < 200; form += 1)
      await partsOf(Buffer.from(`${part}--b--`), 'b').catch(() => undefined)
  }
  assert.ok(performance.now() - started < 2000)
})
