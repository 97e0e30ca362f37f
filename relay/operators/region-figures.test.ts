import { expect, test } from 'vitest'
import { fewestStores, regionFigures } from './region-figures.ts'
import { aStore } from './status.testing.ts'

test('those that are ready count, and the slowest store says how far this region is behind', () => {
  const processes = [
    aStore({ behind: { eu: 0, us: 3 } }),
    aStore({ behind: { eu: 5, us: 1 } }),
    aStore({ isReady: false, behind: { eu: 900 } }),
    aStore({ isHeard: false, behind: { eu: 800 } }),
    aStore({ kind: 'relay', shards: undefined }),
    aStore({ region: 'us', behind: { eu: 70 } }),
  ]
  expect(regionFigures(['eu', 'us'], processes)).toEqual({
    eu: { stores: 2, relays: 1, behind: 5 },
    us: { stores: 1, relays: 0, behind: 3 },
  })
})

test('how far behind a region that is cut off we are, nobody knows', () => {
  const here = aStore({ behind: { eu: 0, us: 3 } })
  const lost = aStore({ region: 'us', isHeard: false })
  expect(regionFigures(['eu', 'us'], [here, lost]).us).toEqual({ stores: 0, relays: 0, behind: null })
})

test('the shards with the fewest stores are named, whatever other regions have', () => {
  const half = aStore({ shards: '0-31' })
  const other = aStore({ shards: '32-63' })
  const all = aStore()
  const elsewhere = aStore({ region: 'us' })
  expect(fewestStores('eu', [all, all])).toEqual({ stores: 2, shards: '0-63' })
  expect(fewestStores('eu', [half, other, all])).toEqual({ stores: 2, shards: '0-63' })
  expect(fewestStores('eu', [half, all])).toEqual({ stores: 1, shards: '32-63' })
  expect(fewestStores('eu', [half, elsewhere])).toEqual({ stores: 0, shards: '32-63' })
  expect(fewestStores('eu', [half, aStore({ shards: '32-63', isReady: false })])).toMatchObject({ stores: 0 })
  expect(fewestStores('eu', [])).toEqual({ stores: 0, shards: '0-63' })
})
