import { isIPv6 } from 'node:net'
import { parseShards, shardCount } from '../store/shard.ts'
import type { About, Setting } from './setting.ts'
import { SetupError } from './setup-error.ts'

/** A region, and where browsers find its relays. */
export interface RegionAddress {
  readonly name: string
  /** With a slash at its end. */
  readonly url: string
}

/** What names of regions are made of; it is part of subjects, cursors and the names of folders. */
export const regionForm = /^[a-z0-9][a-z0-9-]{0,15}$/

export function regionAddresses(name: string, { meaning }: About): Setting<readonly RegionAddress[]> {
  const bounds = 'regions like east=https://east.example.org, separated by commas'
  return {
    name,
    meaning,
    unit: '',
    otherwise: 'none',
    bounds,
    read: (given) => {
      if (!given) return []
      return given.split(',').map((part) => {
        const [region = '', url = ''] = part.trim().split(/=(.*)/s)
        const isAddress = URL.canParse(url) && /^https?:/.test(url)
        if (regionForm.test(region) && isAddress)
          return { name: region, url: new URL(url.replace(/\/?$/, '/')).href }
        throw new SetupError(`${name} must list ${bounds}, but it has "${part.trim()}"`)
      })
    },
  }
}

export function natsAddresses(name: string, { meaning }: About): Setting<string | undefined> {
  const bounds = 'addresses such as 127.0.0.1:4222 or user:password@10.0.0.1:4222, separated by commas'
  return {
    name,
    meaning,
    unit: '',
    otherwise: 'none',
    bounds,
    read: (given) => {
      if (!given) return undefined
      const wrong = given.split(',').find((part) => !isNatsAddress(part.trim()))
      if (wrong === undefined) return given
      // Where somebody logs in, what does not fit may be a piece of their password, and is not repeated.
      const found = given.includes('@') ? '' : `, but it has "${wrong.trim()}"`
      throw new SetupError(`${name} must list ${bounds}${found}`)
    },
  }
}

function isNatsAddress(text: string): boolean {
  const place = text
    .replace(/^(nats|tls):\/\//i, '')
    .replace(/^.*@/, '')
    .replace(/\/$/, '')
  const isPlain = /^(\[[^\]]+\]|[^\s:/?#[\]]+)(:0*[1-9]\d*)?$/.test(place)
  return isIPv6(place) || (isPlain && URL.canParse(`http://${place}`))
}

export function shardNumbers(name: string, { meaning }: About): Setting<ReadonlySet<number>> {
  const otherwise = `0-${shardCount - 1}`
  const bounds = `numbers from 0 to ${shardCount - 1}, such as 0-31 or 0-7,40`
  return {
    name,
    meaning,
    unit: '',
    otherwise,
    bounds,
    read: (given) => {
      const shards = new Set<number>()
      for (const part of (given || otherwise).split(',')) {
        const some = parseShards(part)
        if (!some) throw new SetupError(`${name} must list ${bounds}, but it has "${part.trim()}"`)
        for (const shard of some) shards.add(shard)
      }
      return shards
    },
  }
}
