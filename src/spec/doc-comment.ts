import type { JsonSchema } from './api.ts'

/** The doc comment of a schema: its description, default and deprecation; nothing where it says none of them. */
export function docComment(schema: JsonSchema, indent = ''): string {
  if (typeof schema === 'boolean') return ''
  const { description, title, default: value, deprecated } = schema
  return comment(
    [
      typeof description === 'string' ? description : typeof title === 'string' ? title : '',
      value === undefined ? '' : `Default: ${JSON.stringify(value)}.`,
      deprecated === true ? '@deprecated' : '',
    ],
    indent,
  )
}

/** Paragraphs as a doc comment and the end of its last line; nothing where they are empty. */
export function comment(paragraphs: readonly string[], indent = ''): string {
  const lines = paragraphs.flatMap((paragraph) =>
    paragraph
      .replaceAll('*/', '*\\/')
      .trim()
      .split(/\r\n?|[\n\u2028\u2029]/),
  )
  const told = lines
    .map((line) => line.trimEnd())
    .filter((line, index) => line !== '' || (index > 0 && lines[index - 1] !== ''))
  while (told.at(-1) === '') told.pop()
  if (told.length === 0) return ''
  if (told.length === 1) return `${indent}/** ${told[0]} */\n`
  return `${indent}/**\n${told.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}
