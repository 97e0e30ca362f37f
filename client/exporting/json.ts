import type { NewStory } from '../../shared/document.ts'
import type { ExportRow } from './export-row.ts'

const format = 'facedown backlog'

export function exportJson(name: string, rows: readonly ExportRow[]): string {
  return `${JSON.stringify({ format, version: 1, session: name, stories: rows }, undefined, 2)}\n`
}

/** The stories of an export of ours; undefined for anything else. */
export function importJson(text: string): NewStory[] | undefined {
  try {
    const file: unknown = JSON.parse(text)
    if (!isRecord(file) || file.format !== format || !Array.isArray(file.stories)) return undefined
    return file.stories.flatMap((story: unknown) => (isRecord(story) ? [newStory(story)] : []))
  } catch {
    return undefined // not JSON
  }
}

function newStory(story: Record<string, unknown>): NewStory {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const estimate = isRecord(story.estimate) ? text(story.estimate.label) : ''
  const conflicting = Array.isArray(story.conflicting) ? story.conflicting.map(text).join(' or ') : ''
  return {
    title: text(story.title),
    key: text(story.key),
    link: text(story.link),
    notes: text(story.notes),
    given: estimate || conflicting || text(story.given),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
