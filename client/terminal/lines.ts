import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** What is typed or piped in, line by line. It may be closed, and then there is no more. */
export class Lines {
  readonly #waiting: string[] = []
  #ended = false
  #wake = () => {}
  readonly close: () => void

  constructor(input: Readable) {
    const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
    reader.on('line', (line) => {
      this.#waiting.push(line)
      this.#wake()
    })
    reader.on('close', () => {
      this.#ended = true
      this.#wake()
    })
    this.close = () => reader.close()
  }

  /** Undefined at the end. */
  async next(): Promise<string | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#waiting.shift()
  }
}

/** Of a command that reads nothing else. */
export async function firstLine({ input }: { readonly input: Readable }): Promise<string> {
  const lines = new Lines(input)
  const line = await lines.next()
  lines.close()
  return line ?? ''
}
