import type { About, Setting } from './setting.ts'
import { SetupError } from './setup-error.ts'

/** An address that paths are put behind. */
export function addressOrNone(name: string, { meaning }: About): Setting<string | undefined> {
  const bounds = 'an address like http://localhost:4318'
  return {
    name,
    meaning,
    unit: '',
    otherwise: 'none',
    bounds,
    read: (given) => {
      if (!given) return undefined
      if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
      throw new SetupError(`${name} must be ${bounds}, but it is "${given}"`)
    },
  }
}

/** Written like W3C's baggage, as OpenTelemetry has it: values may be percent-encoded. */
export function headersOrNone(
  name: string,
  { meaning }: About,
): Setting<Readonly<Record<string, string>> | undefined> {
  const bounds = 'headers like authorization=Bearer%20abc, separated by commas'
  return {
    name,
    meaning,
    unit: '',
    otherwise: 'none',
    bounds,
    read: (given) => {
      if (!given) return undefined
      const headers = given.split(',').map((part) => {
        const [, header = '', value = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=(.*)$/.exec(part) ?? []
        const decoded = decode(value.trim())
        if (header !== '' && decoded !== undefined && /^[\x20-\x7e]+$/.test(decoded)) return [header, decoded]
        throw new SetupError(`${name} must list ${bounds}`) // and they are secrets, so they are not repeated
      })
      return Object.fromEntries(headers)
    },
  }
}

export function share(name: string, { meaning }: About): Setting<number> {
  const bounds = 'a number from 0 to 1'
  return {
    name,
    meaning,
    unit: '',
    otherwise: '1',
    bounds,
    read: (given) => {
      const value = /^\d(\.\d{1,9})?$/.test(given || '1') ? Number(given || '1') : Number.NaN
      if (value >= 0 && value <= 1) return value
      throw new SetupError(`${name} must be ${bounds}, but it is "${given}"`)
    },
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined // a % that stands for nothing
  }
}
