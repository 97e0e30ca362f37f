import { createInterface } from 'node:readline'
import type { SessionEvent } from './events.ts'
import { hasColours, type Place } from './place.ts'
import type { Seen } from './seen.ts'
import { sentence } from './sentences.ts'
import { tableLines } from './table-lines.ts'
import type { Teller } from './teller.ts'

const prompt = '> '
/** Lines are cut at the edge instead of broken, so that their number is known. */
const unbroken = { on: '\x1b[?7l', off: '\x1b[?7h' } as const

/** What the table shows anyway is no news. */
const shownAnyway: ReadonlySet<SessionEvent['event']> = new Set([
  'session',
  'relay',
  'stories',
  'voted',
  'tookBack',
  'chosen',
])

/** For whoever sits at a terminal: the table at the bottom, always as it is now, what happened above it, and a line to type in below. */
export function screenTeller(place: Place, onInterrupt: () => void): Teller {
  const { input, output } = place
  const paint = hasColours(place) ? { bold: '\x1b[1m', plain: '\x1b[0m' } : { bold: '', plain: '' }
  const reader = createInterface({ input, output, prompt, historySize: 100 })
  const typed: string[] = []
  let ended = false
  let wake = () => {}
  let latest: Seen | undefined
  /** Lines between the top of the table and the cursor. */
  let above = 0

  const draw = (news: readonly string[]) => {
    const room = Math.max(3, (output.rows ?? 24) - 2)
    const [heading = '', ...table] = (latest ? tableLines(latest) : []).slice(0, room)
    const frame = [`${paint.bold}${heading}${paint.plain}`, ...table]
    const { rows } = reader.getCursorPos()
    const up = above + rows
    const written = news.flatMap((text) => text.split('\n')).map((line) => `${line}\n`)
    output.write(
      [
        '\r',
        up > 0 ? `\x1b[${up}A` : '',
        '\x1b[J',
        unbroken.on,
        ...written,
        ...frame.map((line) => `${line}\n`),
        unbroken.off,
        '\n'.repeat(rows), // from where the reader goes up to draw what is being typed
      ].join(''),
    )
    above = frame.length
    reader.prompt(true)
  }

  reader.on('line', (line) => {
    above += 1 + Math.floor((prompt.length + line.length) / (output.columns ?? 80))
    typed.push(line)
    draw([])
    wake()
  })
  reader.on('SIGINT', onInterrupt)
  reader.on('close', () => {
    ended = true
    wake()
  })
  const redraw = () => draw([])
  output.on('resize', redraw)

  return {
    tell(events, now) {
      const before = latest && tableLines(latest).join()
      const news = events.filter(({ event }) => !shownAnyway.has(event)).map(sentence)
      latest = now
      if (news.length > 0 || before !== tableLines(now).join()) draw(news)
    },
    answer: (text) => draw([text]),
    complain: (text) => draw([text]),
    async next() {
      while (typed.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return typed.shift()
    },
    close() {
      output.off('resize', redraw)
      reader.close()
      output.write('\r\x1b[J')
    },
  }
}
