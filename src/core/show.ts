import { inspect } from 'node:util'

/** A value as messages show it: on one line, cut where it is long, its getters not run. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, brief)
  const line = text.replace(/\s*\n\s*/g, ' ')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

const longest = 120

const brief = {
  depth: 1,
  maxArrayLength: 5,
  maxStringLength: 40,
  breakLength: Number.POSITIVE_INFINITY,
  customInspect: false,
}
