import { readdirSync, readFileSync } from 'node:fs'
import { fuzz } from '../../shared/fuzz.testing.ts'
import { mutantOf, mutantTextOf } from '../../shared/mutants.testing.ts'
import { importJson } from '../exporting/json.ts'
import { guessColumns } from './columns.ts'
import { decodeText } from './decode.ts'
import { isPlain } from './pasted.ts'
import { looksLikeTable, storiesIn } from './pasted-list.ts'
import { toStories, withoutDuplicates } from './stories.ts'
import { readTable } from './table.ts'

const folder = new URL('corpus/', import.meta.url)
const files = readdirSync(folder)
  .filter((name) => name !== 'expected.json')
  .map((name) => readFileSync(new URL(name, folder)))
const languages = ['en', 'de', 'ja', 'zh-Hans', 'ar', 'xx']

/** What the import panel does with a file, until it shows what it would import. */
async function read(text: string): Promise<{ readonly stories: number; readonly problems: number }> {
  const table = await readTable(text)
  const { stories, problems } = toStories(table.rows, guessColumns(table.header, table.rows))
  withoutDuplicates(stories, [{ title: 'Search by date', key: 'APP-1' }])
  for (const { line } of [...table.problems, ...problems]) {
    if (!(line > 0)) throw new Error('A problem without a line')
  }
  for (const { title, key = '', notes = '' } of stories) {
    if (title === '' || /[\r\n]/.test(title + key)) throw new Error('A title is one line')
    if (notes.includes('\r')) throw new Error('A text field has no such line end')
    if (title.length > 2000 || key.length > 64 || notes.length > 20_000) throw new Error('A text is too long')
  }
  return { stories: stories.length, problems: table.problems.length + problems.length }
}

fuzz(
  'any file is read, and what is wrong with it has a line',
  { inputs: 1_500, kinds: ['stories', 'stories and problems', 'nothing'], slowest: 1000 },
  async (chance) => {
    const { text } = decodeText(mutantOf(files, chance), chance.pick(languages))
    const { stories, problems } = await read(text)
    if (stories === 0 && problems === 0) return 'nothing'
    return problems > 0 ? 'stories and problems' : 'stories'
  },
)

/** Half a mebibyte of what makes a reader go over the same again and again. */
fuzz(
  'half a mebibyte of the same few characters does not stop the page',
  { inputs: 40, kinds: ['read'], slowest: 3000 },
  async (chance) => {
    const pieces = [
      ' ',
      '\t',
      '\n',
      '\r',
      '"',
      "'",
      ',',
      ';',
      '|',
      'a',
      '-',
      '\u2028',
      '=',
      '\0',
      '""',
      '",',
      '"\n',
      ' \n',
    ]
    const unit = Array.from({ length: 1 + chance.below(3) }, () => chance.pick(pieces)).join('')
    const many = unit.repeat(Math.ceil((1 << 19) / unit.length))
    const before = chance.pick(['', 'Title\n', 'Title,Notes\n"', 'a', '"a', 'Key;Summary\nAPP-1;'])
    const after = chance.pick(['', 'b', '"', '\n', 'b"\n'])
    await read(before + many + after)
    isPlain(before + many + after)
    storiesIn(before + many + after)
    looksLikeTable(before + many + after)
    return 'read'
  },
)

const exported = JSON.stringify({
  format: 'facedown backlog',
  version: 1,
  stories: [
    {
      title: 'Search',
      key: 'APP-1',
      link: 'https://tracker.example/1',
      notes: 'n',
      estimate: { label: '5' },
    },
    { title: 'Export', estimate: null },
  ],
})

fuzz(
  'text that looks like an export of ours is one, or is none',
  { inputs: 10_000, kinds: ['export', 'none'] },
  (chance) => {
    const stories = importJson(
      mutantTextOf([exported, '[]', '{"format":"facedown backlog","stories":[[]]}'], chance),
    )
    for (const story of stories ?? []) {
      if (Object.values(story).some((text) => typeof text !== 'string')) throw new Error('Not a text')
    }
    return stories ? 'export' : 'none'
  },
)
