import { hidden, type IsSecret, withoutTokens } from './secrets.ts'

/** A request's path and query as they may be told: what stands for a secret parameter is hidden. */
export function shownUrl(url: string, template: string, isSecret: IsSecret): string {
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  return withoutTokens(`${shownPath(path, template, isSecret)}${url.slice(path.length)}`, isSecret)
}

/** A path, in which each segment that the template fills with a secret parameter is hidden; what stands before the template is left. */
export function shownPath(path: string, template: string, isSecret: IsSecret): string {
  if (!hasSecret(template, isSecret)) return path
  const [segments, wanted] = [path.split('/'), template.split('/')]
  const before = segments.length - wanted.length
  // Not of this template after all: better to tell nothing of it.
  if (before < 0) return template
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
