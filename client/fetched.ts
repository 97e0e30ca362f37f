const wait = { first: 500, longest: 8_000 }

/** Fetches a part of the app until it comes: a connection that breaks must not leave an empty page. */
export async function fetched<Part>(load: () => Promise<Part>): Promise<Part> {
  for (let pause = wait.first; ; pause = Math.min(pause * 2, wait.longest)) {
    try {
      return await load()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause)) // nothing is lost yet: it is asked for again
    }
  }
}
