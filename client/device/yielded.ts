/** Lets the browser answer whoever waits for it, and draw. Browsers let `setTimeout` wait 4 ms more. */
export function yielded(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
