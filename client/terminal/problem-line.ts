import type { StoryProblem } from '../importing/stories.ts'
import type { TableProblem } from '../importing/table.ts'
import { plain } from './plain.ts'

const words: Readonly<Record<(StoryProblem | TableProblem)['kind'], string>> = {
  noTitle: 'has no title and was left out',
  titleCut: 'has a very long title: the end was cut',
  notesCut: 'has very long notes: the end was cut',
  keyCut: 'has a very long key: the end was cut',
  linkLeftOut: 'has a link that is not http or https: it was left out',
  openQuote: 'opens a quote that is never closed: check this story',
  moreCells: 'has more cells than the header: the last ones were left out',
  tooManyRows: 'and everything after it was left out: 20,000 stories is the most',
}

/** What could not be taken as it stands. */
export function problemLine(problem: StoryProblem | TableProblem): string {
  const text = 'text' in problem ? plain(problem.text).slice(0, 80) : ''
  return `Line ${problem.line} ${words[problem.kind]}.${text && ` It says: ${text}`}`
}
