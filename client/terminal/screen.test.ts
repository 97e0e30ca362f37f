import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { screenTeller } from './screen.ts'
import { bob, tableWith } from './seen.testing.ts'

const cards = ['1', '2', '3']

/** As much of a terminal as the screen uses: what is on it, and where its cursor is. */
class Terminal extends PassThrough {
  readonly isTTY = true
  readonly columns = 40
  readonly rows = 20
  readonly #lines: string[] = ['']
  #row = 0
  #column = 0

  override write(text: unknown): boolean {
    const orders = /␛(\??)(\d*)([A-Za-z])|(\r)|(\n)|([^␛\r\n]+)/g
    const visible = String(text).replaceAll('\u001b[', '␛')
    for (const [, , count = '', order, start, newline, letters] of visible.matchAll(orders)) {
      if (start) this.#column = 0
      else if (newline) this.#down()
      else if (letters) this.#put(letters)
      else if (order === 'A') this.#row -= Number(count)
      else if (order === 'G') this.#column = Number(count) - 1
      else if (order === 'J') this.#clear()
    }
    return true
  }

  get screen(): string[] {
    return this.#lines.map((line) => line.trimEnd())
  }

  #down(): void {
    this.#row++
    this.#column = 0
    if (this.#row === this.#lines.length) this.#lines.push('')
  }

  #put(letters: string): void {
    const line = (this.#lines[this.#row] ?? '').padEnd(this.#column)
    this.#lines[this.#row] = line.slice(0, this.#column) + letters + line.slice(this.#column + letters.length)
    this.#column += letters.length
  }

  #clear(): void {
    this.#lines.length = this.#row + 1
    this.#lines[this.#row] = (this.#lines[this.#row] ?? '').slice(0, this.#column)
  }
}

function sitDown() {
  const [input, output] = [new PassThrough(), new Terminal()]
  const place = {
    input,
    output,
    errors: new PassThrough(),
    environment: { NO_COLOR: '1' },
    stopped: new Promise<void>(() => {}),
  }
  return { input, output, teller: screenTeller(place, () => {}) }
}

test('the table stays at the bottom as it is now, below what happened and above what is being typed', async () => {
  const { input, output, teller } = sitDown()
  teller.tell([], tableWith({ cards }))
  const frame = [
    'Sprint 12 · saved · 0 of 1 story estimated',
    'TIK-1 Search by key',
    '  alice  … (you)',
    '  bob    …',
    'Cards: 1 2 3',
  ]
  expect(output.screen).toEqual([...frame, '>'])
  input.write('2\n')
  expect(await teller.next()).toBe('2')
  teller.tell([{ event: 'voted', name: 'bob' }], tableWith({ cards, voted: new Set([bob]) }))
  teller.tell([{ event: 'left', name: 'bob' }], tableWith({ cards, voted: new Set([bob]) }))
  teller.complain('There is no card "7".')
  const voted = frame.map((line) => line.replace('bob    …', 'bob    voted'))
  expect(output.screen).toEqual(['left: bob', 'There is no card "7".', ...voted, '>'])
  teller.close()
})
