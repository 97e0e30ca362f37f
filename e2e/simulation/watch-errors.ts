/** Tells of what nobody caught, and of what libraries caught and only wrote on the console. Returns the stop. */
export function watchErrors(tell: (error: unknown) => void): () => void {
  const { error, warn } = console
  const note = (...words: unknown[]) => tell(words.find((word) => word instanceof Error) ?? words.join(' '))
  Object.assign(console, { error: note, warn: note })
  process.setMaxListeners(50) // each provider has one for the end of the process
  process.on('uncaughtException', tell).on('unhandledRejection', tell)
  return () => {
    Object.assign(console, { error, warn })
    process.off('uncaughtException', tell).off('unhandledRejection', tell)
  }
}
