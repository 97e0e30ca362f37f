import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { randomBytes } from '@noble/hashes/utils.js'
import type { SessionKeys } from '../../shared/keys.ts'
import { fileLimit, openSessionFile } from '../../shared/session-file.ts'
import { importJson } from '../exporting/json.ts'
import { decodeAs, decodeText, encodings, isNoText } from '../importing/decode.ts'
import { checkedStories, type Stories, toStories, withoutDuplicates } from '../importing/stories.ts'
import { readTable, tableLimits } from '../importing/table.ts'
import { isAcceptable } from '../link/gate.ts'
import { Complaint, misused, reasonOf } from './complaint.ts'
import { chooseColumns } from './headings.ts'
import { invitationIn, readInvitation } from './invited.ts'
import { firstLine } from './lines.ts'
import { openSession } from './open-session.ts'
import type { Order } from './orders.ts'
import type { Place } from './place.ts'
import { problemLine } from './problem-line.ts'
import { storiesIn, titlesIn } from './sentences.ts'

/** Brings the stories of a file into the backlog, or all of a session that is in a file. */
export async function importFile({ words, values, patience }: Order, place: Place): Promise<void> {
  const { link, rest } = invitationIn(words, 2, place.environment)
  const [path = '-'] = rest
  if (link === '-' && path === '-') throw misused('Invitation and file cannot both come from the input')
  const { keys, base } = readInvitation(link === '-' ? await firstLine(place) : link)
  if (!keys.memberSeed)
    throw new Complaint('This invitation is for watching: whoever has it cannot change anything')
  const bytes = await readAll(path, place)
  const whole = sessionIn(bytes, keys)
  const read = whole ? undefined : await storiesOf(bytes, values, place)
  const seed = randomBytes(32)
  const { session, whenSaved } = await openSession({
    keys,
    base,
    patience,
    seed,
    trace: place.trace,
    ...(whole ? { update: whole } : {}),
  })
  try {
    if (!read) {
      await whenSaved()
      place.output.write('All that the file has of this session is in it.\n')
      return
    }
    const { fresh, known, retitled } = withoutDuplicates(read.stories, session.stories)
    const titles = retitled.map(({ story: { id }, title }) => ({ story: id, title }))
    await session.importStories(fresh, () => {}, undefined, values.retitle ? titles : [])
    await whenSaved()
    const tell = (words: string) => place.output.write(`${words}.\n`)
    tell(`${storiesIn(fresh.length)} added`)
    if (known.length > 0) tell(`${storiesIn(known.length)} left out: already in the backlog`)
    if (titles.length === 0) return
    if (values.retitle) tell(`${titlesIn(titles.length)} taken over`)
    else tell(`${titlesIn(titles.length)} changed in the file, and left alone without --retitle`)
  } finally {
    await session.close()
  }
}

/** Undefined for what is no `.facedown` file. */
function sessionIn(bytes: Uint8Array, keys: SessionKeys): Uint8Array | undefined {
  const opened = openSessionFile(bytes, (id) => (id === keys.session ? keys : undefined))
  switch (opened.state) {
    case 'notAFile':
      return undefined
    case 'damaged':
      throw new Complaint('The file is damaged: it is not as it was saved')
    case 'newer':
      throw new Complaint('The file was saved by a newer version of Facedown')
    case 'locked':
      throw new Complaint('The file is of another session than the invitation')
    case 'opened':
      if (opened.keys.session !== keys.session) {
        throw new Complaint('The file is of another session than the invitation')
      }
      if (bytes.length > fileLimit || !isAcceptable(opened.update, 'device')) {
        throw new Complaint('The file holds what no session can be made of')
      }
      return opened.update
  }
}

async function storiesOf(bytes: Buffer, values: Order['values'], { errors }: Place): Promise<Stories> {
  if (bytes.length > tableLimits.bytes) throw new Complaint('The file is larger than 20 MB')
  if (isNoText(bytes))
    throw new Complaint('There is no story in this file: a workbook has to be saved as CSV')
  const text = textOf(bytes, values.encoding, (note) => errors.write(`${note}\n`))
  const own = importJson(text)
  if (own && values.column) throw misused('An export of Facedown has no columns to choose')
  const table = own ? undefined : await readTable(text)
  const chosen = chooseColumns(table ?? { header: undefined, rows: [] }, values.column ?? [])
  const stories = own ? checkedStories(own) : toStories(chosen.rows, chosen.columns)
  const problems = [...(table?.problems ?? []), ...stories.problems].sort((a, b) => a.line - b.line)
  for (const problem of problems) errors.write(`${problemLine(problem)}\n`)
  if (stories.stories.length === 0) throw new Complaint('There is no story in this file')
  return stories
}

function textOf(bytes: Uint8Array, encoding: string | undefined, note: (text: string) => void): string {
  if (encoding !== undefined) {
    if (encodings.some((known) => known === encoding.toLowerCase()))
      return decodeAs(bytes, encoding.toLowerCase())
    throw misused(`--encoding is one of ${encodings.join(', ')}, but it is "${encoding}"`)
  }
  const decoded = decodeText(bytes, Intl.DateTimeFormat().resolvedOptions().locale)
  if (!decoded.certain)
    note(`Read as ${decoded.encoding}. If letters look wrong, say which it is with --encoding.`)
  return decoded.text
}

async function readAll(path: string, { input }: Place): Promise<Buffer> {
  try {
    return path === '-' ? await buffer(input) : readFileSync(path)
  } catch (error) {
    throw new Complaint(`${path} cannot be read: ${reasonOf(error)}`)
  }
}
