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
  ['/x/abc/a/b', '/x/{token}/*', '/x/[hidden]/a/b'],
  ['/x/abc/', '/x/{token}/*', '/x/[hidden]/'],
  ['/a?password=ab\\cd&b=1', '/a', '/a?password=[hidden]&b=1'],
  ['/a?password="ab cd&b=1', '/a', '/a?password=[hidden]&b=1'],
  ['/a?b=1#access_token=x', '/a', '/a?b=1#access_token=[hidden]'],
  ['/a#access_token="x', '/a', '/a#access_token=[hidden]'],
  ['/a?b=/c?token="x', '/a', '/a?b=/c?token=[hidden]'],
  ['/a?filter=%7B%22password%22%3A%22x%22%7D&b=1', '/a', '/a?filter=[hidden]&b=1'],
  ['/a?filter={"deep":[{"pass\\u0077ord"+:"x"}]}', '/a', '/a?filter=[hidden]'],
  ['/a?filter=%7B%22password%22%3A%22%ff%22%7D', '/a', '/a?filter=[hidden]'],
  ['/a?filter={"color":"password"}', '/a', '/a?filter={"color":"password"}'],
  ['/a?filter=color,red,password,x', '/a', '/a?filter=[hidden]'],
  ['/a?filter=color%7Cred%7Cpassword%7Cx', '/a', '/a?filter=[hidden]'],
  ['/a?type=token&sort=name,token', '/a', '/a?type=token&sort=name,token'],
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
