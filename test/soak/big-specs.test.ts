import { test } from 'node:test'
import { checkGenerated } from '../spec/support/generated.ts'
import { sharedSpec } from '../spec/support/specs.ts'

for (const name of ['github.json', 'stripe.json', 'k8s20.json', 'adyen31.json']) {
  test(`${name}: what is generated is accepted by strict tsc, loaded by Node, and the same each time`, async (context) => {
    const file = sharedSpec(context, name)
    if (file !== undefined) await checkGenerated(context, [file])
  })
}
