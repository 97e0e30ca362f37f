import { randomBytes } from '@noble/hashes/utils.js'
import { participantSeed } from '../../shared/keys.ts'
import type { LiveSession } from '../session/session.svelte.ts'
import { act, introduce } from './acts.ts'
import { Complaint } from './complaint.ts'
import { eventsBetween } from './events.ts'
import { invitationIn, readInvitation } from './invited.ts'
import { Lines } from './lines.ts'
import { openSession, refusalIn } from './open-session.ts'
import type { Order } from './orders.ts'
import { ownSecret, stateFolder } from './own-secret.ts'
import { isInteractive, type Place } from './place.ts'
import { screenTeller } from './screen.ts'
import { type Seen, see } from './seen.ts'
import { lineTeller, type Teller } from './teller.ts'

/** Takes part in a session, or watches it, until the input ends or somebody quits. */
export async function join({ words, values, patience }: Order, place: Place): Promise<void> {
  const { link } = invitationIn(words, 1, place.environment)
  let lines: Lines | undefined = link === '-' ? new Lines(place.input) : undefined
  const { keys, base, seed } = readInvitation((await lines?.next()) ?? link)
  const folder = values.state ?? stateFolder(place.environment)
  const own = () => (keys.memberSeed ? participantSeed(ownSecret(folder), keys.session) : randomBytes(32))
  const { session, whenSaved } = await openSession({
    keys,
    base,
    patience,
    seed: seed ?? own(),
    trace: place.trace,
  })
  let interrupt = () => {}
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve
  })
  const onScreen = isInteractive(place) && !values.json && !values.watch
  if (onScreen) lines?.close()
  else lines ??= new Lines(place.input)
  const teller =
    lines && !onScreen ? lineTeller(place, lines, values.json ?? false) : screenTeller(place, interrupt)
  const until = [place.stopped, interrupted, refusalOf(session)]
  try {
    if (values.name !== undefined) introduce(session, values.name)
    await follow(session, teller, async () => {
      const obeying = values.watch ? [] : [obey(session, teller, place.input.isTTY === true)]
      await Promise.race([...until, ...obeying])
    })
    await leave(session, whenSaved, place)
  } catch (error) {
    await whenSaved().catch(() => {}) // what was done before; that more went wrong is said already
    throw error
  } finally {
    teller.close()
    await session.close()
  }
}

/** Tells what happens while the work lasts. */
async function follow(session: LiveSession, teller: Teller, work: () => Promise<void>): Promise<void> {
  let seen: Seen | undefined
  const look = () => {
    const now = see(session)
    teller.tell(eventsBetween(seen, now), now)
    seen = now
  }
  const stop = session.core.follow(look)
  look()
  try {
    await work()
    look()
  } finally {
    stop()
  }
}

/** Somebody at a terminal may try again; a script ends where it went wrong. */
async function obey(session: LiveSession, teller: Teller, mayFail: boolean): Promise<void> {
  for (let line = await teller.next(); line !== undefined; line = await teller.next()) {
    if (/^\s*(quit|exit)\s*$/i.test(line)) return
    if (!mayFail && /^\s*(#|$)/.test(line)) continue
    try {
      const answer = await act(session, line)
      if (answer !== undefined) teller.answer(answer)
    } catch (error) {
      if (!mayFail || !(error instanceof Complaint)) throw error
      teller.complain(`${error.message}.`)
    }
  }
}

function refusalOf(session: LiveSession): Promise<never> {
  return new Promise((_, reject) => {
    session.core.follow(() => {
      const refusal = refusalIn(session.saved.relay)
      if (refusal) reject(refusal)
    })
  })
}

async function leave(session: LiveSession, whenSaved: () => Promise<void>, { errors }: Place): Promise<void> {
  await whenSaved()
  const { table } = session
  if (table?.state.phase !== 'voting' || table.chosen === undefined || table.opensAlone) return
  errors.write('Your card stays face down until you join again as the same participant.\n')
}
