import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const folders = ['.', 'client', 'e2e', 'relay', 'shared']
const documents = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

test('every link of a document leads somewhere in this repository, or out of it', () => {
  const links = documents.flatMap((document) => linksOf(document).map((link) => [document, link] as const))
  expect(links.length).toBeGreaterThan(30)
  expect(links.filter(([document, link]) => !leadsSomewhere(document, link))).toEqual([])
})

function linksOf(document: string): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)]
    .map(([, inText, inTag]) => inText ?? inTag ?? '')
    .filter((link) => !/^https?:/.test(link))
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const file = path === '' ? document : join(dirname(document), path)
  return existsSync(file) && (heading === undefined || headingsOf(file).includes(heading))
}

/** As they stand in addresses: lower-case, without punctuation, with hyphens for spaces. */
function headingsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
