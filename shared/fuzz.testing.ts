/** Many foreign inputs, each made from a seed of its own, so that one that does harm can be made again. */
import { expect, test } from 'vitest'
import { Chance } from './testing.ts'

export interface Portion {
  /** So many inputs belong to `npm test`. `FUZZ=10` tries ten times as many, `FUZZ_SECONDS=60` as many as fit into a minute. */
  readonly inputs: number
  /** What must become of some of them: a fuzzer whose inputs are all refused at the door tries nothing. */
  readonly kinds: readonly string[]
  /** No input may take longer, in milliseconds. */
  readonly slowest?: number
}

const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
const first = Number(process.env.FROM ?? 1)
const times = Number(process.env.FUZZ ?? 1)
const seconds = Number(process.env.FUZZ_SECONDS ?? 0)

/** `one` makes an input of chance, tries it, and says what became of it; it throws for what must not happen. */
export function fuzz(
  name: string,
  { inputs, kinds, slowest = 100 }: Portion,
  one: (chance: Chance) => string | Promise<string>,
): void {
  test(name, { timeout: (seconds + 300) * 1000 }, async () => {
    const totals: Record<string, number> = {}
    let longest = 0
    const attempt = async (seed: number) => {
      const begun = performance.now()
      const used = process.cpuUsage()
      const became = one(new Chance(seed))
      const kind = typeof became === 'string' ? became : await became
      const took = performance.now() - begun
      // What waited for its turn beside other programs took no time of its own.
      if (took <= slowest) return { kind, took }
      const { user, system } = process.cpuUsage(used)
      return { kind, took: Math.min(took, (user + system) / 1000) }
    }
    const look = async (seed: number) => {
      let { kind, took } = await attempt(seed)
      // A machine that is busy is slow now and then, an input that does harm always.
      for (let again = 0; took > slowest && again < 3; again++) {
        took = Math.min(took, (await attempt(seed)).took)
      }
      if (took > slowest) throw new Error(`${kind}, but it took ${Math.round(took)} ms`)
      longest = Math.max(longest, took)
      totals[kind] = (totals[kind] ?? 0) + 1
    }
    const end = performance.now() + seconds * 1000
    const last = seconds > 0 ? Number.POSITIVE_INFINITY : first + Math.ceil(inputs * times)
    let seed = only ?? first
    for (; seed < (only === undefined ? last : only + 1); seed++) {
      if (seconds > 0 && seed % 64 === 0 && performance.now() > end) break
      // For whoever has to end a run that hangs.
      if (seconds > 0 && seed % 10_000 === 0) console.info(`SEED=${seed} ${name}`)
      try {
        await look(seed)
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error)
        throw new Error(`SEED=${seed}: ${words}`, { cause: error })
      }
    }
    if (only !== undefined) return
    if (seconds > 0) {
      const [tried, slow] = [seed - first, Math.round(longest)]
      console.info(`fuzzed ${JSON.stringify({ name, inputs: tried, longest: slow, kinds: totals })}`)
    }
    expect(Object.keys(totals)).toEqual(expect.arrayContaining([...kinds]))
  })
}
