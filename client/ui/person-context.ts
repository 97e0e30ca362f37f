import { getContext, setContext } from 'svelte'
import type { ParticipantId } from '../../shared/id.ts'

/** Opens what can be done about a person, beside the element that stands for them. */
export type OpenPerson = (person: ParticipantId, beside: HTMLElement) => void

const key = Symbol('person')

export function provideOpenPerson(open: OpenPerson | undefined): void {
  setContext(key, open)
}

/** Undefined where nothing can be done about anybody. */
export function openPerson(): OpenPerson | undefined {
  return getContext<OpenPerson | undefined>(key)
}
