import { expect, test } from 'vitest'
import { sessionId } from '../shared/id.ts'
import { formatRoute, parseRoute } from './router.ts'

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

test('a link to a session survives being formatted and parsed under a sub-path', () => {
  const base = 'https://a.example/tools/poker/'
  const route = { page: 'session', id, secret: 'o-xyz' } as const
  expect(formatRoute(route, base)).toBe(`https://a.example/tools/poker/s/${id}#o-xyz`)
  expect(parseRoute(formatRoute(route, base), base)).toEqual(route)
})

test('a link without a secret still names its session, whose keys the device may have kept', () => {
  const route = { page: 'session', id, secret: '' } as const
  expect(parseRoute(`https://a.example/s/${id}`, 'https://a.example/')).toEqual(route)
  expect(formatRoute(route, 'https://a.example/')).toBe(`https://a.example/s/${id}`)
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
