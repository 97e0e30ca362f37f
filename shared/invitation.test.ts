import { expect, test } from 'vitest'
import {
  formatDeviceInvitation,
  formatInvitation,
  invitationLink,
  parseDeviceInvitation,
  parseInvitation,
  seedsToCheck,
} from './invitation.ts'
import { createSessionKeys, keysFor, publicKeyOf, roleSeed, roles } from './keys.ts'

const owner = createSessionKeys()

test.each(roles)('the %s’s invitation gives the keys of that role and no more', (role) => {
  const keys = parseInvitation(owner.session, formatInvitation(owner, role))
  expect(keys).toEqual(keysFor(role, owner))
  expect(keys?.publicKeys).toEqual(owner.publicKeys)
  expect(keys?.contentKey).toEqual(owner.contentKey)
})

test.each(roles)(
  'the check of the %s’s invitation takes the keys of that role and of those below',
  (role) => {
    const keys = keysFor(role, owner)
    const seeds = seedsToCheck(formatInvitation(owner, role))
    expect(seeds[0]).toEqual(roleSeed(keys))
    expect(seeds.map((seed) => [...publicKeyOf(seed)])).toEqual(
      roles.slice(roles.indexOf(role)).map((_, at, held) => {
        const place = (roles.length - held.length + at) * 32
        return [...owner.publicKeys.slice(place, place + 32)]
      }),
    )
    expect(seedsToCheck(formatDeviceInvitation(keys, new Uint8Array(32)))).toEqual(seeds)
    expect(seedsToCheck('')).toEqual([])
  },
)

test('an observer holds neither the member’s secret nor the key that vouches', () => {
  const observer = keysFor('observer', owner)
  expect(observer.memberSeed).toBeUndefined()
  expect(formatInvitation(observer, 'observer')).not.toContain(formatInvitation(owner, 'member').slice(1, 40))
})

test('every single changed letter of a link is recognised as damage', () => {
  for (const role of roles) {
    const fragment = formatInvitation(owner, role)
    for (let at = 0; at < fragment.length; at += 3) {
      for (const letter of ['A', 'z', '-', '!', ' ']) {
        if (fragment[at] === letter) continue
        const damaged = fragment.slice(0, at) + letter + fragment.slice(at + 1)
        expect(parseInvitation(owner.session, damaged), `${role} at ${at}`).toBeUndefined()
      }
    }
  }
  const fragment = formatInvitation(owner, 'member')
  for (let at = 0; at < owner.session.length; at++) {
    const letter = owner.session[at] === 'b' ? 'c' : 'b'
    const damaged = owner.session.slice(0, at) + letter + owner.session.slice(at + 1)
    expect(parseInvitation(damaged, fragment)).toBeUndefined()
  }
})

test.each(['', 'm', 'x', 'm%00', 'm'.repeat(10_000), '💥'])('"%s" is no invitation', (fragment) => {
  expect(parseInvitation(owner.session, fragment)).toBeUndefined()
})

test('a link keeps the path of the app and carries the secret behind the # only', () => {
  const link = new URL(invitationLink('https://example.org/poker/', owner, 'member'))
  expect(link.pathname).toBe(`/poker/s/${owner.session}`)
  expect(link.hash.slice(1)).toBe(formatInvitation(owner, 'member'))
})

test('a link for another device carries the invitation and who one is', () => {
  const keys = keysFor('member', owner)
  const seed = new Uint8Array(32).fill(9)
  const fragment = formatDeviceInvitation(keys, seed)
  expect(parseDeviceInvitation(owner.session, fragment)).toEqual({ keys, seed })
  expect(parseInvitation(owner.session, fragment)).toBeUndefined()
  expect(parseDeviceInvitation(owner.session, formatInvitation(owner, 'member'))).toBeUndefined()
  expect(parseDeviceInvitation(owner.session, `${fragment}.more`)).toBeUndefined()
})

test('every single changed letter of a link for another device is recognised as damage', () => {
  const fragment = formatDeviceInvitation(keysFor('member', owner), new Uint8Array(32).fill(9))
  for (let at = 0; at < fragment.length; at++) {
    const other = fragment[at] === 'A' ? 'B' : 'A'
    const damaged = fragment.slice(0, at) + other + fragment.slice(at + 1)
    expect(parseDeviceInvitation(owner.session, damaged)).toBeUndefined()
  }
})
