import { hash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { SetupError } from '../settings/setup-error.ts'
import type { BucketAddress } from './bucket-address.ts'
import { type Refusal, refusalIn, sentenceOf, unreachable } from './bucket-words.ts'

/** What a bucket says about one of its objects. */
export interface Listed {
  /** Behind the prefix. */
  readonly name: string
  readonly bytes: number
  /** When it was written, in milliseconds. */
  readonly at: number
}

/** Of one request with all its tries, in milliseconds. */
const patience = 60_000
/** How often a server that has trouble, or a line that was cut, is tried again. */
const retries = 4
/** How many requests are under way at once. */
const atOnce = 8

/** Objects in a bucket, below a prefix. What goes wrong is a `SetupError` that says what to do. */
export class Bucket {
  readonly address: BucketAddress
  readonly #client: AwsClient
  readonly #patience: number

  constructor(address: BucketAddress, patienceMs = patience) {
    const { accessKeyId, secretAccessKey, sessionToken, region } = address
    this.address = address
    this.#patience = patienceMs
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      region,
      service: 's3',
      retries,
    })
  }

  /** Its SHA-256 is part of what is signed, so what arrives otherwise is refused. */
  async put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#ask('PUT', this.#pathOf(name), bytes)
  }

  /** Undefined if there is none. */
  async get(name: string): Promise<Buffer | undefined> {
    const answer = await this.#ask('GET', this.#pathOf(name), undefined, 'NoSuchKey')
    return answer && Buffer.from(answer)
  }

  async remove(name: string): Promise<void> {
    await this.#ask('DELETE', this.#pathOf(name), undefined, 'NoSuchKey')
  }

  /** Everything whose name begins so, a thousand at a time, in the order of the names. */
  async *list(start: string): AsyncGenerator<Listed> {
    const { prefix } = this.address
    for (let after: string | undefined = ''; after !== undefined; ) {
      const query = new URLSearchParams({ 'list-type': '2', prefix: prefix + start })
      if (after) query.set('continuation-token', after)
      const answer: ArrayBuffer | undefined = await this.#ask('GET', `?${query}`)
      const page = answer ? Buffer.from(answer).toString() : ''
      for (const [, object = ''] of page.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
        yield {
          name: textOf(object, 'Key').slice(prefix.length),
          bytes: Number(textOf(object, 'Size')),
          at: Date.parse(textOf(object, 'LastModified')),
        }
      }
      after = textOf(page, 'NextContinuationToken') || undefined
    }
  }

  #pathOf(name: string): string {
    return `/${this.address.prefix}${name}`
  }

  async #ask(
    method: string,
    path: string,
    body?: Uint8Array<ArrayBuffer>,
    allowed?: Refusal['code'],
  ): Promise<ArrayBuffer | undefined> {
    const { endpoint, bucket } = this.address
    const url = `${endpoint}/${bucket}${path}`
    const headers = { 'x-amz-content-sha256': hash('sha256', body ?? '') }
    const signal = AbortSignal.timeout(this.#patience)
    for (let cuts = 0; ; cuts++) {
      try {
        const answer = await this.#client.fetch(url, { method, headers, signal, ...(body ? { body } : {}) })
        const bytes = await answer.arrayBuffer()
        if (answer.ok) return bytes
        const refusal = refusalIn(answer.status, Buffer.from(bytes).toString())
        if (refusal.code === allowed) return undefined
        throw new SetupError(sentenceOf(refusal, this.address))
      } catch (error) {
        if (error instanceof SetupError) throw error
        if (cuts >= retries || signal.aborted || !wasCut(error))
          throw new SetupError(unreachable(error, this.address))
      }
    }
  }
}

/** Several at once, and never more; the first error ends it. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]()
  let failed = false
  const one = async () => {
    for (let next = waiting.next(); !next.done && !failed; next = waiting.next()) {
      await work(next.value).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}

/** A connection that broke, which is no reason to give up; one that never opened is. */
function wasCut(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE'
}

/** Of the first element with this name. Names of ours need no more than that of XML. */
function textOf(xml: string, element: string): string {
  const [, text = ''] = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml) ?? []
  return text
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
}
