import { keyLimit, type NewStory, notesLimit, titleLimit } from '../../shared/document.ts'
import { parseLink } from '../session/story-link.ts'
import { type Columns, type Field, fields } from './columns.ts'
import type { Row } from './table.ts'

/** What could not be taken as it stands. Nothing is left out without one of these. */
export interface StoryProblem {
  readonly line: number
  readonly kind: 'noTitle' | 'titleCut' | 'notesCut' | 'keyCut' | 'linkLeftOut'
  /** The cell it is about. */
  readonly text: string
}

export interface Stories {
  readonly stories: readonly NewStory[]
  readonly problems: readonly StoryProblem[]
}

export function toStories(rows: readonly Row[], columns: Columns): Stories {
  const stories: NewStory[] = []
  const problems: StoryProblem[] = []
  for (const { line, cells } of rows) {
    const cell = (field: Field) => {
      const at = columns[field]
      return at === undefined ? '' : (cells[at] ?? '').trim()
    }
    const tell = (kind: StoryProblem['kind'], text: string) => problems.push({ line, kind, text })
    const title = oneLine(cell('title'))
    const key = oneLine(cell('key'))
    const notes = clean(cell('notes'))
    const typed = cell('link')
    const link = parseLink(typed)
    if (title === '' && key === '') {
      tell('noTitle', cells.filter((text) => text.trim() !== '').join(' · '))
      continue
    }
    if (title.length > titleLimit) tell('titleCut', title)
    if (key.length > keyLimit) tell('keyCut', key)
    if (notes.length > notesLimit) tell('notesCut', title)
    if (typed !== '' && !link) tell('linkLeftOut', typed)
    // Jira writes 5 as 5.0.
    const given = upTo(oneLine(cell('estimate')).replace(/^(\d+)\.0+$/, '$1'), keyLimit)
    stories.push({
      title: upTo(title || key, titleLimit),
      ...(key && title ? { key: upTo(key, keyLimit) } : {}),
      ...(link ? { link } : {}),
      ...(notes ? { notes: upTo(notes, notesLimit) } : {}),
      ...(given ? { given } : {}),
    })
  }
  return { stories, problems }
}

/** The same for what an export of ours says: anybody may have written it. Lines are the places of its stories. */
export function checkedStories(said: readonly NewStory[]): Stories {
  const rows = said.map((story, at) => ({
    line: at + 1,
    cells: fields.map((field) => (field === 'estimate' ? story.given : story[field]) ?? ''),
  }))
  return toStories(rows, Object.fromEntries(fields.map((field, at) => [field, at])))
}

export interface Known {
  readonly title: string
  readonly key?: string
  readonly link?: string | undefined
}

export interface Sorted<Existing> {
  readonly fresh: readonly NewStory[]
  readonly known: readonly NewStory[]
  /** Those of the backlog that have another title where the new stories come from. */
  readonly retitled: readonly { readonly story: Existing; readonly title: string }[]
}

/** What is in the backlog already is known by its key, else by its link, else by its title. */
export function withoutDuplicates<Existing extends Known>(
  stories: readonly NewStory[],
  existing: readonly Existing[],
): Sorted<Existing> {
  const seen = new Map<string, Existing | undefined>()
  const see = (story: Known, as?: Existing) => {
    for (const mark of marksOf(story)) if (!seen.has(mark)) seen.set(mark, as)
  }
  for (const story of existing) see(story, story)
  const fresh: NewStory[] = []
  const known: NewStory[] = []
  const retitled = new Map<Existing, string>()
  for (const story of stories) {
    const mark = markOf(story)
    if (seen.has(mark)) known.push(story)
    else fresh.push(story)
    const same = seen.get(mark)
    // The title of a story without one is its key.
    if (same && mark !== titleMark(story.title) && story.title !== story.key && !retitled.has(same)) {
      retitled.set(same, story.title)
    }
    see(story)
  }
  return {
    fresh,
    known,
    retitled: [...retitled].flatMap(([story, title]) => (story.title === title ? [] : { story, title })),
  }
}

function markOf({ title, key, link }: Known): string {
  if (key) return `key ${key.toLowerCase()}`
  return link ? `link ${link}` : titleMark(title)
}

/** A story with a key is not the one that merely has the same title. */
function marksOf(story: Known): string[] {
  return story.key ? [markOf(story)] : [markOf(story), titleMark(story.title)]
}

function titleMark(title: string): string {
  return `title ${title.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase()}`
}

/** Half of a pair of surrogates would be another letter on every device but this one. */
function upTo(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')
}

function oneLine(text: string): string {
  const whole = clean(text)
  if (!/[\r\n\u2028\u2029]/.test(whole)) return whole
  return whole
    .split(/[\r\n\u2028\u2029]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
}

/**
 * Without control characters; every script, emoji and mark of direction stays. Line ends become those of a text field: with
 * others the first letter that somebody types there would write all lines anew, and two people's first letters each line twice.
 */
function clean(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return lines.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff]/g, '').trim()
}
