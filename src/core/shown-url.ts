import { hidden, holdsSecret, type IsSecret, namesIn, withoutTokens } from './secrets.ts'

/** A request's path and query as they may be told: what stands for a secret parameter is hidden, and all of a parameter that holds a secret within. */
export function shownUrl(url: string, template: string, isSecret: IsSecret): string {
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  const query = url
    .slice(path.length)
    .split('&')
    .map((part) => shownParameters(part, isSecret))
    .join('&')
  return withoutTokens(`${shownPath(path, template, isSecret)}${query}`, isSecret)
}

/** What stands between two `&`. From a secret on nothing is told: a `#` may be part of it that nobody has encoded. */
function shownParameters(part: string, isSecret: IsSecret): string {
  let start = 0
  for (const piece of part.split(/(?<=[?#])/)) {
    const value = piece.indexOf('=') + 1
    if (
      namesIn(piece.slice(0, Math.max(0, value - 1))).some(isSecret) ||
      holdsSecret(piece.slice(value), isSecret)
    )
      return `${part.slice(0, start + value)}${hidden}`
    start += piece.length
  }
  return part
}

/** A path, in which each segment that the template fills with a secret parameter is hidden; what stands before the template is left, and what its last `*` stands for. */
export function shownPath(path: string, template: string, isSecret: IsSecret): string {
  if (!hasSecret(template, isSecret)) return path
  const [segments, wanted] = [path.split('/'), template.split('/')]
  const longer = segments.length - wanted.length
  // Not of this template after all: better to tell nothing of it.
  if (longer < 0) return template
  // A service's own route has nothing before it.
  const before = template.endsWith('*') ? 0 : longer
  return segments
    .map((segment, index) => (hasSecret(wanted[index - before] ?? '', isSecret) ? hidden : segment))
    .join('/')
}

/** Whether a template has parameters that are secret. */
export function hasSecret(template: string, isSecret: IsSecret): boolean {
  return (
    template.includes('{') && [...template.matchAll(/\{([^{}]+)\}/g)].some(([, name = '']) => isSecret(name))
  )
}
