import { expect, test } from 'vitest'
import { sessionId } from '../../shared/id.ts'
import { formatInvitation, invitationLink, sessionPath } from '../../shared/invitation.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { parseRoute } from './router.ts'

const id = sessionId(new Uint8Array(16).fill(7))

test('the root of the app is home, wherever the app lives', () => {
  expect(parseRoute('https://a.example/', 'https://a.example/')).toEqual({ page: 'home' })
  expect(parseRoute('https://a.example/team/', 'https://a.example/team/')).toEqual({ page: 'home' })
  expect(parseRoute('https://a.example/team/index.html', 'https://a.example/team/')).toEqual({ page: 'home' })
})

test('an invitation leads to its session with its secret', () => {
  expect(parseRoute(`http://10.0.0.7:8080/s/${id}#mabc`, 'http://10.0.0.7:8080/')).toEqual({
    page: 'session',
    id,
    secret: 'mabc',
  })
})

test('the link of an invitation leads to its session under a sub-path, too', () => {
  const base = 'https://a.example/tools/poker/'
  const keys = createSessionKeys()
  const secret = formatInvitation(keys, 'member')
  const link = invitationLink(base, keys, 'member')
  expect(link).toBe(`https://a.example/tools/poker/s/${keys.session}#${secret}`)
  expect(parseRoute(link, base)).toEqual({ page: 'session', id: keys.session, secret })
})

test('a link without a secret still names its session, whose keys the device may have kept', () => {
  const route = { page: 'session', id, secret: '' } as const
  const base = 'https://a.example/'
  expect(parseRoute(`${base}s/${id}`, base)).toEqual(route)
  expect(parseRoute(new URL(sessionPath(id), base).href, base)).toEqual(route)
})

test('a link that lost a letter of its id is damaged, not unknown', () => {
  expect(parseRoute(`https://a.example/s/${id.slice(1)}#m`, 'https://a.example/')).toEqual({
    page: 'damaged',
  })
})

test('any other path is unknown', () => {
  expect(parseRoute('https://a.example/admin', 'https://a.example/')).toEqual({ page: 'unknown' })
  expect(parseRoute('https://a.example/other/', 'https://a.example/team/')).toEqual({ page: 'unknown' })
})
