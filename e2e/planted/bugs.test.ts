import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bugs } from './bugs.mjs'
import { clusterBugs } from './cluster-bugs.mjs'

test.each([...bugs, ...clusterBugs])(
  'there is still a place for the mistake: $name',
  ({ file, text, instead }) => {
    const source = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
    expect(source.split(text)).toHaveLength(2)
    expect(instead).not.toBe(text)
  },
)
