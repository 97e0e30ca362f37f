import type { Row } from './table.ts'

export const fields = ['title', 'key', 'link', 'notes', 'estimate'] as const
export type Field = (typeof fields)[number]
/** Which column holds what; a field without a column is not imported. */
export type Columns = { readonly [Name in Field]?: number }

/** What trackers call their columns, the best match first. Compared without case and beyond brackets. */
const names: Readonly<Record<Field, readonly RegExp[]>> = {
  title: [
    /^(summary|zusammenfassung|résumé|resumen|resumo|要約|摘要|概要|الملخص)$/,
    /^(title|titel|titre|título|タイトル|标题|العنوان)$/,
    /^(name|story|user story|stories|subject|task|aufgabe|issue)$/,
  ],
  key: [
    /^(issue key|work item key|vorgangsschlüssel|clé de ticket|clave de (la )?incidencia|chave d[ao] (item|ticket)|chave|key|schlüssel|clé|clave|キー|课题关键字|问题关键字|事务关键字)$/,
    /^(id|issue id|#|number|nummer|work item id|nr|no)$/,
  ],
  link: [/^(url|link|html_url|html url|web url|href|permalink)$/],
  notes: [/^(description|beschreibung|descripción|descrição|説明|描述|الوصف|body|notes?|notizen)$/],
  estimate: [
    /^(story points?|story point estimate|.+[(（]story (points?|point estimate)[)）])$/,
    /^(estimate|points|effort|schätzung|estimation|estimación|estimativa|size)$/,
  ],
}

/** Without a header: what looks like a key, a link, a number, and the longest words of what is left for the title. */
export function guessColumns(header: readonly string[] | undefined, rows: readonly Row[]): Columns {
  return header ? byName(header, rows.slice(0, 500)) : byLook(rows.slice(0, 50))
}

function byName(header: readonly string[], rows: readonly Row[]): Columns {
  const columns: { -readonly [Name in Field]?: number } = {}
  const taken = new Set<number>()
  for (const field of fields) {
    for (const name of names[field]) {
      const called = [...header.keys()].filter(
        (at) => !taken.has(at) && name.test(header[at]?.toLowerCase() ?? ''),
      )
      const at = fullest(called, rows)
      if (at === undefined) continue
      columns[field] = at
      taken.add(at)
      break
    }
  }
  // A lone "ID" or "Name" beside nothing better is the title.
  if (columns.title === undefined) columns.title = header.findIndex((_, at) => !taken.has(at))
  return columns.title < 0 ? { ...columns, title: 0 } : columns
}

/** Jira has a column of each kind of project for the same, and several of one name. Of equally full ones the first. */
function fullest(places: readonly number[], rows: readonly Row[]): number | undefined {
  const filled = places.map((at) => rows.filter(({ cells }) => (cells[at] ?? '').trim() !== '').length)
  return places[filled.indexOf(Math.max(...filled))]
}

function byLook(rows: readonly Row[]): Columns {
  const width = Math.max(0, ...rows.map(({ cells }) => cells.length))
  const share = (at: number, fits: RegExp) =>
    rows.filter(({ cells }) => fits.test((cells[at] ?? '').trim())).length / Math.max(1, rows.length)
  // Letters: dates and identifiers may be longer than the words of a title.
  const wordsOf = (at: number) =>
    rows.reduce((sum, { cells }) => sum + ((cells[at] ?? '').match(/\p{L}/gu)?.length ?? 0), 0)
  const places = Array.from({ length: width }, (_, at) => at)
  const key = places.find(
    (at) => share(at, at === 0 ? /^([A-Z][A-Z0-9_]*-\d+|#?\d{1,7})$/ : /^([A-Z][A-Z0-9_]*-|#)\d+$/) > 0.8,
  )
  const link = places.find((at) => share(at, /^https?:\/\/\S+$/i) > 0.8)
  const left = places.filter((at) => at !== key && at !== link)
  const estimate = left.length > 1 ? left.findLast((at) => share(at, /^\d{0,3}([.,]\d)?$/) > 0.9) : undefined
  const [title = 0] = left.filter((at) => at !== estimate).sort((a, b) => wordsOf(b) - wordsOf(a) || a - b)
  return {
    title,
    ...(key === undefined || width === 1 ? {} : { key }),
    ...(link === undefined || width === 1 ? {} : { link }),
    ...(estimate === undefined ? {} : { estimate }),
  }
}
