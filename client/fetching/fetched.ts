/** Milliseconds from one try to the next; each has a few of its own, see `fetch-part.ts`. */
const pause = 4_000

/** Fetches a part of the app until it comes, or until nobody wants it any more: then it never does. */
export async function fetched<Part>(
  load: () => Promise<Part>,
  /** Hears that it has not come for a while, and says whether it is still wanted. */
  unreachable: () => boolean,
): Promise<Part> {
  for (;;) {
    try {
      return await load()
    } catch {
      // Nothing is lost yet: it is asked for again.
      if (!unreachable()) return new Promise(() => {})
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
