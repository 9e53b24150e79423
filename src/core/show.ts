import { inspect } from 'node:util'

/** A value as messages show it: on one line, cut where it is long, its getters not run. Never throws. */
export function show(value: unknown): string {
  const line = text(value).replace(/\s*\n\s*/g, ' ')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

function text(value: unknown): string {
  try {
    return typeof value === 'string' ? JSON.stringify(value.slice(0, longest + 1)) : inspect(value, brief)
  } catch {
    // A proxy among its prototypes, say.
    return `a ${typeof value} that can't be shown`
  }
}

const longest = 120

const brief = {
  depth: 1,
  maxArrayLength: 5,
  maxStringLength: 40,
  breakLength: Number.POSITIVE_INFINITY,
  customInspect: false,
}
