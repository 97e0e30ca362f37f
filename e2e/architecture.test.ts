import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const text = readFileSync('ARCHITECTURE.md', 'utf8')

test.each([
  ['shared', '## shared: what both ends agree on\n'],
  ['client', '## client: a session on a device\n'],
  ['relay', '## relay: carries and keeps\n'],
  ['e2e', '## Proven how\n'],
])('whoever looks for what the map of %s names finds it', (folder, heading) => {
  const rows = rowsBelow(heading)
  expect(rows.length).toBeGreaterThan(5)
  const lost = rows.flatMap(([files = '', words = '']) => {
    const named = namesIn(files)
    const [first = ''] = named
    const isOneFolder = named.length === 1 && first.endsWith('/')
    return [
      ...missing(folder, named),
      ...(isOneFolder ? missing(`${folder}/${first}`, namesIn(words).filter(isFile)) : []),
    ]
  })
  expect(lost).toEqual([])
})

/** Of the table that comes first below a heading, without its head. */
function rowsBelow(heading: string): string[][] {
  const [, below = ''] = text.split(`\n${heading}\n`)
  const [table = ''] = below.split('\n\n')
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | '))
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? [])
}

/** What stands beside a folder may be a path of HTTP, a command or a type as well. */
function isFile(name: string): boolean {
  return !/[/ A-Z]/.test(name)
}

function missing(folder: string, names: readonly string[]): string[] {
  const there = readdirSync(folder, { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `${entry.name}/` : entry.name,
  )
  return names.filter((name) => !there.some((file) => pattern(name).test(file)))
}

/** Files are named without their ending; `…` and `*` stand for anything. */
function pattern(name: string): RegExp {
  const words = name.replace(/[.]/g, '\\.').replace(/[*…]/g, '.*')
  return new RegExp(`^${words}(\\.svelte)?(\\.ts)?$`)
}
