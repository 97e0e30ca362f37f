/** As much of a browser's WebSocket as the link uses; `ws` has it too. */
export interface PlainSocket {
  binaryType: string
  readonly readyState: number
  /** Not a WebSocket, because none opens here. */
  readonly slow?: boolean
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: ((event: unknown) => void) | null
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}
