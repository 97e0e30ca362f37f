import { writeFileSync } from 'node:fs'
import { randomBytes } from '@noble/hashes/utils.js'
import { exportCsv, trackers } from '../exporting/csv.ts'
import { type ExportRow, type ExportVote, exportRow } from '../exporting/export-row.ts'
import { exportJson } from '../exporting/json.ts'
import { exportMarkdown } from '../exporting/markdown.ts'
import type { LiveSession } from '../session/session.svelte.ts'
import { Complaint, misused, reasonOf } from './complaint.ts'
import { invitationIn, readInvitation } from './invited.ts'
import { firstLine } from './lines.ts'
import { openSession } from './open-session.ts'
import type { Order } from './orders.ts'
import type { Place } from './place.ts'
import { plainLines } from './plain.ts'

const forms = ['csv', 'markdown', 'json', 'facedown'] as const
type Form = (typeof forms)[number]

/** Writes what a session has, as the app does. */
export async function exportSession({ words, values, patience }: Order, place: Place): Promise<void> {
  const form = oneOf(forms, values.as ?? 'csv', '--as')
  const tracker = oneOf(trackers, values.for ?? 'generic', '--for')
  if (values.for !== undefined && form !== 'csv') throw misused('--for goes with --as csv only')
  if (form === 'facedown' && values.out === undefined && place.output.isTTY) {
    throw misused('A whole session is nothing to read: name a file with --out')
  }
  const { link } = invitationIn(words, 1, place.environment)
  const { keys, base } = readInvitation(link === '-' ? await firstLine(place) : link)
  const { session } = await openSession({ keys, base, patience, seed: randomBytes(32) })
  try {
    const content = await contentOf(session, form, (rows) => exportCsv(rows, tracker))
    if (values.out !== undefined) return save(values.out, content)
    const text = typeof content === 'string' && place.output.isTTY ? plainLines(content) : content
    await new Promise<void>((resolve) => place.output.write(text, () => resolve()))
  } finally {
    await session.close()
  }
}

async function contentOf(
  session: LiveSession,
  form: Form,
  csv: (rows: readonly ExportRow[]) => string,
): Promise<string | Uint8Array> {
  const name = session.name ?? 'Facedown'
  switch (form) {
    case 'csv':
      return csv(await rowsOf(session))
    case 'markdown':
      return exportMarkdown(name, await rowsOf(session), ['Story', 'Estimate', 'Rounds'])
    case 'json':
      return exportJson(name, await rowsOf(session))
    case 'facedown':
      return (await session.archive()).file('encrypted')
  }
}

async function rowsOf(session: LiveSession): Promise<ExportRow[]> {
  const archive = await session.archive()
  const people = new Map([...session.people, ...session.hidden].map(({ id, name }) => [String(id), name]))
  const { compare } = new Intl.Collator('en', { numeric: true })
  const nameOf = (id: string) => people.get(id) ?? 'Somebody'
  const inOrder = (votes: readonly ExportVote[]) => votes.toSorted((a, b) => compare(a.name, b.name))
  const rows: ExportRow[] = []
  for await (const told of archive.everything()) {
    rows.push(exportRow(told, session.notes(told.story.id)?.toString() ?? '', nameOf, inOrder))
  }
  return rows
}

function save(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new Complaint(`${path} cannot be written: ${reasonOf(error)}`)
  }
}

function oneOf<Name extends string>(names: readonly Name[], said: string, option: string): Name {
  const found = names.find((name) => name === said)
  if (!found) throw misused(`${option} is one of ${names.join(', ')}, but it is "${said}"`)
  return found
}
