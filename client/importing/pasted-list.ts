import type { NewStory } from '../../shared/document.ts'
import { withoutMark } from './list-mark.ts'
import { withoutEmphasis } from './markdown-table.ts'
import { checkedStories } from './stories.ts'
import { storyAt } from './story-address.ts'

/** Beyond it nothing is looked for in a line: its title is cut anyway. */
const longestLine = 6_000

const key = '[A-Z][A-Z\\d_]{0,19}-\\d{1,9}'
const bareKey = new RegExp(`^${key}$`)
/** `[APP-1] Search`, `APP-1: Search`. Without a mark between them `UTF-8 everywhere` would lose its first word. */
const markedKey = new RegExp(`^(?:\\[(${key})\\]|(${key})(?=:|\\t| [-–—] ))[\\s:–—-]*(?=\\S)`)
const leadingKey = new RegExp(`^(${key})\\s+(?=\\S)`)
const target = '(https?://(?:[^\\s<>()]|\\([^\\s<>()]*\\))+)'
const markdownLink = new RegExp(`\\[((?:\\\\.|[^\\\\[\\]]){1,500})\\]\\(<?${target}>?(?: "[^"]*")?\\)`, 'g')
const address = new RegExp(`^<?${target}>?[\\s:–—|-]*|[\\s:–—|(-]*<?${target}>?\\)?$`, 'i')
/** `[10:32 AM] Ann: Search`, as chats copy what was said. */
const said = /^\[[^\]]{0,30}\d[:.]\d\d[^\]]{0,12}\] [^:]{1,60}: /

/** Rows of a spreadsheet, a CSV file or a Markdown table, rather than one story a line. */
export function looksLikeTable(text: string): boolean {
  // Between quotes a line end is one within a cell.
  const bare = text.replace(/(^|[\t;,\n])"[^"]*(?:""[^"]*)*"/g, '$1')
  const rows = bare.split('\n').filter((row) => row)
  const [first = '', ...others] = rows
  const like = (separator: string) => {
    const width = first.split(separator).length
    return width > 1 && others.length > 0 && others.every((row) => row.split(separator).length === width)
  }
  return (
    /^\|.*\n\|[-:| ]+$/m.test(text) ||
    (like('|') && rows.every((row) => /^\|.*\|\s*$/.test(row))) ||
    // Word puts a tab behind the mark of a list.
    (like('\t') &&
      !(first.split('\t').length === 2 && rows.every((row) => withoutMark(row) !== row.trim()))) ||
    [';', ','].some((each) => like(each) && !bare.includes(`${each} `))
  )
}

/** One story a line, as lists are copied from trackers, chats, spreadsheets and Markdown. */
export function storiesIn(text: string): readonly NewStory[] {
  const lines = linesOf(text)
  const found = pairsIn(lines) ?? withLeadingKeys(lines.map(storyIn))
  return checkedStories(found).stories
}

function linesOf(text: string): string[] {
  const lines = text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    // A spreadsheet's cell with a line end or a quote.
    .replace(/(?<=^|\n)"((?:[^"]|"")*)"(?=\n|$)/g, (whole, cell: string) =>
      /\n|""/.test(cell) ? cell.replaceAll('""', '"').replaceAll('\n', ' ') : whole,
    )
    .split('\n')
    .map((line) => line.slice(0, longestLine).replace(/[\s\u200b]+$/, ''))
    .filter((line) => line && !/^\s*(?:[-*_=]{3,}|```\w*)$/.test(line))
  const without = (mark: RegExp) =>
    lines.every((line) => mark.test(line)) ? lines.map((line) => line.replace(mark, '')) : lines
  return (lines.every((line) => said.test(line)) ? without(said) : without(/^>\s?/))
    .map((line) => withoutMark(line.replace(/^#{1,6}\s+/, '')))
    .filter((line) => line)
}

/** Jira's backlog, copied: a line with the key, a line with the title. */
function pairsIn(lines: readonly string[]): NewStory[] | undefined {
  const isPaired = lines.length % 2 === 0 && lines.every((line, at) => bareKey.test(line) === (at % 2 === 0))
  if (!isPaired) return undefined
  return lines.flatMap((line, at) => (at % 2 === 0 ? { ...storyIn(lines[at + 1] ?? ''), key: line } : []))
}

function storyIn(line: string): NewStory {
  let link: string | undefined
  const keep = (found: string, words: string) => {
    link ??= found
    return words
  }
  const unlinked = withoutEmphasis(line).replace(markdownLink, (_, words: string, found: string) =>
    keep(found, words.replace(/\\([!-/:-@[-`{-~])/g, '$1')),
  )
  const bare = link ? unlinked : unlinked.replace(address, (_, first, last) => keep(first ?? last, ''))
  if (link && bare === '') return { ...storyAt(link), link }
  const words = withoutEmphasis(bare)
  const [mark = '', inBrackets, before] = markedKey.exec(words) ?? []
  const own = inBrackets ?? before ?? (link && bareKey.test(words) ? words : undefined)
  const title = words.slice(mark.length).replaceAll('\t', ' ')
  return { title, ...(own && { key: own }), ...(link && { link }) }
}

/** `APP-1 Search` in each of several lines, all of one project. */
function withLeadingKeys(stories: NewStory[]): NewStory[] {
  const keys = stories.map(({ title, key }) => (key ? undefined : leadingKey.exec(title)?.[1]))
  const projects = new Set(keys.map((each) => each?.replace(/\d+$/, '')))
  if (projects.size > 1 || new Set(keys).size < 2) return stories
  return stories.map((story, at) => ({
    ...story,
    title: story.title.replace(leadingKey, ''),
    key: keys[at] ?? '',
  }))
}
