import { test } from 'node:test'
import { openFilesStay } from './support/open-files.ts'

test('five hundred requests with tasks leave no growing number of open files', (t) => openFilesStay(t, 500))
