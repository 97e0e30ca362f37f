import { readHidden } from '../../shared/document.ts'
import type { SessionCore } from './core.ts'
import type { Person } from './session-view.ts'

/** Everybody who told a name, whether they are here or not. */
export function everybodyIn(core: SessionCore): readonly Person[] {
  return core.derived('everybody', () => {
    const { ledger, participant, here } = core
    const facilitators = ledger.facilitators()
    const tookOver = ledger.tookOver()
    return [...ledger.profiles().values()]
      .filter((profile) => profile.name !== '')
      .map(
        ({ author, name, observer }): Person => ({
          id: author,
          name,
          me: author === participant.id,
          here: here.has(author),
          facilitator: facilitators.has(author),
          tookOver: tookOver.has(author),
          observer,
        }),
      )
  })
}

/** Without those who left and were hidden. */
export function peopleIn(core: SessionCore): readonly Person[] {
  return core.derived('people', () => everybodyIn(core).filter((person) => !isHidden(core, person)))
}

export function hiddenIn(core: SessionCore): readonly Person[] {
  return core.derived('hidden', () => everybodyIn(core).filter((person) => isHidden(core, person)))
}

function isHidden({ doc }: SessionCore, person: Person): boolean {
  return !person.here && !person.me && readHidden(doc).has(person.id)
}
