// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseInvitation } from '../../shared/invitation.ts'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { encodeSessionFile } from '../../shared/session-file.ts'
import { keepSession, keysOf } from '../device/device.ts'
import { parseRoute } from './router.ts'
import { Visit } from './visit.svelte.ts'

const base = new URL('/poker/', location.href).href
const update = Uint8Array.of(0, 0)

vi.mock('../session/session.svelte.ts', () => {
  const open = async () => ({ close: async () => {} })
  return { LiveSession: { create: open, open } }
})

beforeEach(() => {
  localStorage.clear()
  history.replaceState(null, '', base)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** As in a private window, or when the storage is full. */
function keepNothing(): void {
  vi.stubGlobal('localStorage', {
    getItem: () => null,
    removeItem: () => {},
    setItem: () => {
      throw new DOMException('Full', 'QuotaExceededError')
    },
  })
}

/** What the address bar leads back to after a reload. */
function wayBack() {
  const route = parseRoute(location.href, base)
  if (route.page !== 'session') throw new Error('The address is no session')
  return { ...route, keys: parseInvitation(route.id, route.secret) }
}

test('a session that is started on a device that keeps it has an address without its secret', async () => {
  await new Visit(base).start()
  const { id, secret } = wayBack()
  expect(secret).toBe('')
  expect(keysOf(id)?.role).toBe('owner')
})

test('where nothing can be kept the address of a session that is started leads back to it, and gives no more than a team gets', async () => {
  keepNothing()
  await new Visit(base).start()
  expect(wayBack().keys).toMatchObject({ session: wayBack().id, role: 'member' })
})

test.each(['member', 'observer'] as const)(
  'where nothing can be kept the address of a file that is opened leads back as %s',
  async (role) => {
    const keys = keysFor(role, createSessionKeys())
    const file = new Blob([encodeSessionFile(keys, update, 'plain').slice()])
    keepNothing()
    expect(await new Visit(base).openFile(file)).toBeUndefined()
    expect(wayBack().keys).toMatchObject({ session: keys.session, role })
  },
)

test('a file that is none changes no address', async () => {
  expect(await new Visit(base).openFile(new Blob(['nothing']))).toBe('notAFile')
  expect(location.href).toBe(base)
})

test('a file of a session this device knows opens with the keys that are kept', async () => {
  const keys = createSessionKeys()
  keepSession(keys, 1)
  const file = new Blob([encodeSessionFile(keysFor('member', keys), update, 'encrypted').slice()])
  expect(await new Visit(base).openFile(file)).toBeUndefined()
  expect(wayBack()).toMatchObject({ id: keys.session, secret: '' })
  expect(keysOf(keys.session)?.role).toBe('owner')
})
