import { SetupError } from './setup-error.ts'

/** One thing an operator can set in the environment, with everything there is to say about it. */
export interface Setting<Value> {
  readonly name: string
  /** One sentence without its full stop. */
  readonly meaning: string
  /** What a value counts, or is written in; empty when there is nothing to count. */
  readonly unit: string
  /** What it is without being set, as an operator would write it; or in words. */
  readonly otherwise: string
  /** Which values it may have. */
  readonly bounds: string
  /** An empty text is none. Anything it must not be is a `SetupError`. */
  readonly read: (text: string | undefined) => Value
}

export interface About {
  readonly meaning: string
}

/** Any text, or what is said to stand for none. */
export function text(
  name: string,
  { meaning, otherwise, bounds }: About & { readonly otherwise: string; readonly bounds: string },
): Setting<string> {
  return { name, meaning, unit: '', otherwise, bounds, read: (given) => given || otherwise }
}

export function textOrNone(
  name: string,
  about: About & { readonly bounds: string; readonly form?: RegExp },
): Setting<string | undefined> {
  const { meaning, bounds, form } = about
  return {
    name,
    meaning,
    unit: '',
    otherwise: 'none',
    bounds,
    read: (given) => {
      // What does not fit may be a secret with a mistake in it, and is not repeated.
      if (given && form && !form.test(given)) throw new SetupError(`${name} must be ${bounds}`)
      return given || undefined
    },
  }
}

export function matching(
  name: string,
  about: About & { readonly otherwise: string; readonly bounds: string; readonly form: RegExp },
): Setting<string> {
  const { meaning, otherwise, bounds, form } = about
  return {
    name,
    meaning,
    unit: '',
    otherwise,
    bounds,
    read: (given) => {
      const value = given || otherwise
      if (form.test(value)) return value
      throw new SetupError(`${name} must be ${bounds}, but it is "${value}"`)
    },
  }
}

interface Range extends About {
  readonly unit?: string
  readonly least: number
  readonly most: number
}

export function wholeNumber(name: string, about: Range & { readonly otherwise: number }): Setting<number> {
  const { otherwise } = about
  const { read, ...range } = numberOrNone(name, about)
  return { ...range, otherwise: String(otherwise), read: (given) => read(given) ?? otherwise }
}

export function numberOrNone(name: string, about: Range): Setting<number | undefined> {
  const { meaning, unit = '', least, most } = about
  return {
    name,
    meaning,
    unit,
    otherwise: 'none',
    bounds: `${least} to ${most}`,
    read: (given) => {
      if (!given) return undefined
      const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
      if (value >= least && value <= most) return value
      throw new SetupError(`${name} must be a whole number from ${least} to ${most}, but it is "${given}"`)
    },
  }
}

/** One of some words; the first is what it is without being set. */
export function choice<const Word extends string>(
  name: string,
  { meaning, words }: About & { readonly words: readonly [Word, ...Word[]] },
): Setting<Word> {
  const [otherwise] = words
  const bounds = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return {
    name,
    meaning,
    unit: '',
    otherwise,
    bounds,
    read: (given) => {
      const value = words.find((word) => word === (given || otherwise))
      if (value !== undefined) return value
      throw new SetupError(`${name} must be ${bounds}, but it is "${given}"`)
    },
  }
}

export function flag(name: string, { meaning }: About): Setting<boolean> {
  return {
    name,
    meaning,
    unit: '',
    otherwise: '0',
    bounds: '1 (yes) or 0 (no)',
    read: (given) => {
      const value = given || '0'
      if (value === '0' || value === '1') return value === '1'
      throw new SetupError(`${name} must be 1 (yes) or 0 (no), but it is "${value}"`)
    },
  }
}

/** Origins as browsers write them: no path, no slash at the end. */
export function origins(
  name: string,
  { meaning, otherwise }: About & { readonly otherwise: string },
): Setting<readonly string[] | undefined> {
  const bounds = 'addresses like https://poker.example.org, separated by commas'
  return {
    name,
    meaning,
    unit: '',
    otherwise,
    bounds,
    read: (given) =>
      given
        ? given.split(',').map((part) => {
            const origin = part.trim()
            if (URL.canParse(origin) && new URL(origin).origin === origin) return origin
            throw new SetupError(`${name} must list ${bounds}, but it has "${origin}"`)
          })
        : undefined,
  }
}
