/** A message as the build compiled it: text, `#` for what a plural counts, and places for values. */
export type Message = readonly Token[]
type Token =
  | string
  | readonly [name: string]
  | readonly [name: string, kind: 'number']
  | readonly [name: string, kind: 'plural', cases: Readonly<Record<string, Message | undefined>>]

/** How a language writes numbers, and which case of a plural a number asks for. */
export interface Counting {
  number(value: number): string
  plural(value: number): string
}

/** The sentence of a message with its values in their places. `count` is what the plural around it counts. */
export function say(
  message: Message,
  values: Readonly<Record<string, unknown>>,
  counting: Counting,
  count?: number,
): string {
  const tell = (token: Token): string => {
    if (token === '#' && count !== undefined) return counting.number(count)
    if (typeof token === 'string') return token
    const [name, kind, cases] = token
    const value = values[name]
    if (kind === undefined) return String(value)
    if (cases === undefined) return counting.number(Number(value))
    const number = Number(value)
    return say(cases[number] ?? cases[counting.plural(number)] ?? cases.other ?? [], values, counting, number)
  }
  return message.map(tell).join('')
}
