/** What a service says of itself at `/version`, with PyMacaron's names. */
export interface Version {
  readonly name: string
  readonly version: string
  /** The names of its APIs. */
  readonly apis: readonly string[]
  readonly env: string
  /** The same as `env`, for PyMacaron's clients. */
  readonly pym_env: string
}

export interface VersionFacts {
  readonly name: string
  readonly version: string
  readonly apis: readonly { readonly name: string }[]
  readonly env: string
}

/** The body of `/version` and `/auth/version`. */
export function versionOf({ name, version, apis, env }: VersionFacts): Version {
  return { name, version, apis: apis.map((api) => api.name), env, pym_env: env }
}
