/** Keywords that describe a schema and say nothing of which values it allows. */

const annotations = new Set([
  'title',
  'description',
  'deprecated',
  'readOnly',
  'writeOnly',
  'default',
  'example',
  'discriminator',
  'contentEncoding',
  'contentMediaType',
])

/** Whether a keyword only describes; extensions do, but for `x-parent`, which makes a schema a model of its own. */
export function isAnnotation(keyword: string): boolean {
  return annotations.has(keyword) || (keyword.startsWith('x-') && keyword !== 'x-parent')
}
