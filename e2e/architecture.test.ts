import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const text = readFileSync('ARCHITECTURE.md', 'utf8')

test.each([
  ['shared', '## shared: what both ends agree on\n'],
  ['relay', '## relay: carries and keeps\n'],
  ['e2e', '## Proven how\n'],
])('whoever looks for what the map of %s names finds it', (folder, heading) => {
  const there = readdirSync(folder, { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `${entry.name}/` : entry.name,
  )
  const named = namesIn(heading)
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((name) => !there.some((file) => pattern(name).test(file)))).toEqual([])
})

/** What stands in the first column of the table that comes first below a heading. */
function namesIn(heading: string): string[] {
  const [, below = ''] = text.split(`\n${heading}\n`)
  const [table = ''] = below.split('\n\n')
  return table
    .split('\n')
    .flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []),
    )
}

/** Files are named without their ending; `…` and `*` stand for anything. */
function pattern(name: string): RegExp {
  const words = name.replace(/[.]/g, '\\.').replace(/[*…]/g, '.*')
  return new RegExp(`^${words}(\\.ts)?$`)
}
