const nobody = new Int32Array(new SharedArrayBuffer(4))
/** Below this a pause is shorter than what it takes to begin it. */
const leastMs = 5

/**
 * To be called between two pieces of work: pauses for so many times as long as was worked, so that a disk and processors which a
 * relay shares have time for it. Nothing else happens in a command's process, so its thread may stand still.
 */
export function createBreathing(times: number): () => void {
  let since = performance.now()
  return () => {
    const worked = performance.now() - since
    if (worked < leastMs) return
    Atomics.wait(nobody, 0, 0, worked * times)
    since = performance.now()
  }
}
