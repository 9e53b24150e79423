import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Why tests that need certificates are skipped; false where they can be made. */
export const withoutOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl'

export interface Certificates {
  /** Of the authority that has signed it. */
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** A certificate for `localhost` that is good for so many days, and the authority that signed it, as files in `folder`. */
export function makeCertificates(folder: string, days = 2): Certificates {
  const file = (name: string) => join(folder, name)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...ec,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  )
  const request = [
    'req',
    ...ec,
    '-keyout',
    file('key.pem'),
    '-out',
    file('request.pem'),
    '-subj',
    '/CN=localhost',
  ]
  openssl(...request, '-addext', 'subjectAltName=DNS:localhost')
  const signed = [
    'x509',
    '-req',
    '-in',
    file('request.pem'),
    '-out',
    file('cert.pem'),
    '-days',
    String(days),
    '-copy_extensions',
    'copy',
  ]
  openssl(...signed, '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial')
  return { authority: file('ca.pem'), certificate: file('cert.pem'), key: file('key.pem') }
}
