import { below } from './pointers.ts'

/**
 * The names that schemas of a document have beside their places (JSON Schema 2020-12, sections 8.2.1 and 8.2.2): `$anchor`, `$dynamicAnchor` and
 * `$id`, as references write them, with the pointers of all that have them. A `$dynamicAnchor` that is declared once always means that one
 * schema; what is declared several times depends on the way a value is reached, which is for the reader of the reference to refuse.
 */
export function anchorsOf(root: unknown): ReadonlyMap<string, readonly string[]> {
  const anchors = new Map<string, string[]>()

  function add(name: string, pointer: string): void {
    const known = anchors.get(name)
    if (known === undefined) anchors.set(name, [pointer])
    else known.push(pointer)
  }

  function visit(value: unknown, pointer: string, id: string): void {
    if (typeof value !== 'object' || value === null) return
    const { $id, $anchor, $dynamicAnchor }: { $id?: unknown; $anchor?: unknown; $dynamicAnchor?: unknown } =
      value
    const base = typeof $id === 'string' ? $id : id
    if (typeof $id === 'string') add($id, pointer)
    for (const name of new Set([$anchor, $dynamicAnchor])) {
      if (typeof name !== 'string') continue
      add(`#${name}`, pointer)
      if (base !== '') add(`${base}#${name}`, pointer)
    }
    for (const [key, part] of Object.entries(value)) visit(part, below(pointer, key), base)
  }

  visit(root, '', '')
  return anchors
}
