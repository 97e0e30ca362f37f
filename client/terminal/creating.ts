import { invitationLink } from '../../shared/invitation.ts'
import { createSessionKeys, participantSeed } from '../../shared/keys.ts'
import { parseName } from '../ui/name.ts'
import { misused } from './complaint.ts'
import { openSession } from './open-session.ts'
import type { Order } from './orders.ts'
import { ownSecret, stateFolder } from './own-secret.ts'
import type { Place } from './place.ts'

/** Makes a session at a relay and tells the invitation. */
export async function create(
  { words, values, patience }: Order,
  { output, environment, trace }: Place,
): Promise<void> {
  const [address = '', more] = words
  if (!/^https?:/.test(address) || !URL.canParse(address) || more !== undefined) {
    throw misused('facedown create needs the address of a relay, such as https://poker.example/')
  }
  const base = new URL(address.endsWith('/') ? address : `${address}/`).href
  const keys = createSessionKeys()
  const seed = participantSeed(ownSecret(values.state ?? stateFolder(environment)), keys.session)
  const creator = parseName(values.name ?? '').name
  const { session, whenSaved } = await openSession({ keys, base, seed, patience, creator, trace })
  try {
    if (values.title) session.rename(parseName(values.title).name)
    await whenSaved()
  } finally {
    await session.close()
  }
  const member = invitationLink(base, keys, 'member')
  const others = {
    observer: invitationLink(base, keys, 'observer'),
    owner: invitationLink(base, keys, 'owner'),
  }
  output.write(`${values.json ? JSON.stringify({ member, ...others }) : member}\n`)
}
