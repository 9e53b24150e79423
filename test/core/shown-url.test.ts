import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSecretName } from '../../src/core/secrets.ts'
import { shownPath, shownUrl } from '../../src/core/shown-url.ts'

const cases: readonly (readonly [url: string, template: string, shown: string])[] = [
  ['/accounts/7?page=2', '/accounts/{id}', '/accounts/7?page=2'],
  ['/reset/abc', '/reset/{token}', '/reset/[hidden]'],
  ['/v1/reset/abc/x', '/reset/{token}/x', '/v1/reset/[hidden]/x'],
  ['/keys/one-abc/b', '/keys/{name}-{api_key}/{id}', '/keys/[hidden]/b'],
  // Slashes of a value come encoded.
  ['/reset/a%2Fb/x', '/reset/{token}/{next}', '/reset/[hidden]/x'],
  ['/short', '/a/b/{token}', '/a/b/{token}'],
  ['/a?password=x#/reset', '/a', '/a?password=[hidden]'],
  ['/a?user[password]=x&b=1', '/a', '/a?user[password]=[hidden]&b=1'],
  ['/a?%E0%A4%A=x&to%6ben=y', '/a', '/a?%E0%A4%A=x&to%6ben=[hidden]'],
  ['*', '*', '*'],
]

for (const [url, template, shown] of cases) {
  test(`${url} of ${template} is told as ${shown}`, () => {
    assert.equal(shownUrl(url, template, isSecretName), shown)
  })
}

test('a path without secrets is told as it is, whatever its template', () => {
  assert.equal(shownPath('/a/b/c', '/x', isSecretName), '/a/b/c')
})
