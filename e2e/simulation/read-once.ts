/** What several devices make of the same bytes is made once, for functions that depend on nothing else and whose values nobody changes. */
export function onceForBytes<Value>(read: (bytes: Uint8Array) => Value): (bytes: Uint8Array) => Value {
  const known = new Map<string, Value>()
  return (bytes) => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const before = known.get(name)
    if (before !== undefined) return before
    if (known.size > 5000) known.clear()
    const value = read(bytes)
    known.set(name, value)
    return value
  }
}

/** The same for bytes that are one object, because all who read them have them from `quick-envelope.ts`. */
export function onceForObject<Value>(read: (bytes: Uint8Array) => Value): (bytes: Uint8Array) => Value {
  const known = new WeakMap<Uint8Array, { readonly value: Value }>()
  return (bytes) => {
    const before = known.get(bytes)
    if (before) return before.value
    const value = read(bytes)
    known.set(bytes, { value })
    return value
  }
}
