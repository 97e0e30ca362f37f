import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { logTo } from './log.ts'
import { type Report, reportLevels } from './report.ts'

const reports: { readonly [Event in Report['event']]: Extract<Report, { event: Event }> } = {
  listening: { event: 'listening', url: 'http://localhost:8787', region: 'eu' },
  stopping: { event: 'stopping', connections: 3 },
  stopped: { event: 'stopped' },
  refused: { event: 'refused', reason: 'origin', times: 12 },
  damagedRow: { event: 'damagedRow', table: 'entries' },
  damagedDatabase: { event: 'damagedDatabase', words: 'Parts are damaged.' },
  mended: { event: 'mended', indexes: 1 },
  expired: { event: 'expired', sessions: 4 },
  storeRefused: { event: 'storeRefused', reason: 'full', code: 'SQLITE_FULL' },
  storeStalled: { event: 'storeStalled' },
  storeRestarting: { event: 'storeRestarting' },
  storeRecovered: { event: 'storeRecovered' },
  storesSilent: { event: 'storesSilent' },
  copied: { event: 'copied', region: 'east' },
  incomplete: { event: 'incomplete', region: 'east' },
  notGiven: { event: 'notGiven', reason: 'room', error: 'Error: There is no room for a copy' },
  storesAnswer: { event: 'storesAnswer' },
  tracesLost: { event: 'tracesLost' },
  tracesArrive: { event: 'tracesArrive' },
  failed: { event: 'failed', error: 'Error: Oh\n    at store.ts:1' },
}
const rest = Object.values(reports).filter(({ event }) => event !== 'listening')

test.each(['people', 'programs'] as const)('the first line says to %s where the relay listens', (readers) => {
  expect(logged([reports.listening], readers)).toEqual([
    'Facedown relay (eu) listens on http://localhost:8787\n',
  ])
})

test('programs get a line of JSON for each report, with time and level, and nothing else', () => {
  const before = Date.now()
  const lines = logged(rest, 'programs')
  expect(lines).toHaveLength(rest.length)
  lines.forEach((line, at) => {
    expect(line.indexOf('\n')).toBe(line.length - 1)
    const { time, level, ...report } = JSON.parse(line)
    expect(report).toEqual(rest[at])
    expect(level).toBe(reportLevels[report.event as Report['event']])
    expect(new Date(time).toISOString()).toBe(time)
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before)
  })
})

test('people get a sentence for each report, with what it is about', () => {
  const lines = logged(rest, 'people')
  expect(new Set(lines).size).toBe(rest.length)
  lines.forEach((line, at) => {
    expect(line).toMatch(/^\d\d:\d\d:\d\d (info |warn |error) [A-Z0-9]/)
    const { event, ...about } = rest[at] ?? reports.stopped
    for (const value of Object.values(about)) {
      if (value !== 'full') expect(line, event).toContain(String(value))
    }
  })
})

function logged(some: readonly Report[], readers: 'people' | 'programs'): string[] {
  const lines: string[] = []
  const log = logTo((line) => lines.push(line), readers)
  for (const report of some) log(report)
  return lines
}

test('the handbook explains every event of the log', () => {
  const handbook = readFileSync(new URL('../OPERATING.md', import.meta.url), 'utf8')
  for (const { event } of rest) expect(handbook).toMatch(new RegExp(`^\\| .*\`${event}\`.* \\|$`, 'm'))
})
