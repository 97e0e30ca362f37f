/**
 * The browser's own Ed25519, which works aside and a hundred times faster. It is there over https and on localhost only, and not
 * in browsers from before 2025. Public keys and signatures are the same bytes everywhere (RFC 8032, sections 5.1.5 and 5.1.6).
 */
import { learnPublicKey, type Signature } from '../../shared/keys.ts'

/** What stands before the seed of a private key in PKCS #8 (RFC 8410, section 7). */
const head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]

/** Undefined where the browser has none. */
export async function signNatively(message: Uint8Array, seed: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const signature = await crypto.subtle.sign('Ed25519', await privateKey(seed), message as BufferSource)
    return new Uint8Array(signature)
  } catch {
    return undefined // no such algorithm, or no `subtle`
  }
}

/** Derives the public keys of the seeds, so that nobody has to wait when they are asked for. */
export async function derivePublicKeys(seeds: readonly Uint8Array[]): Promise<void> {
  try {
    await Promise.all(
      seeds.map(async (seed) => {
        const { x = '' } = await crypto.subtle.exportKey('jwk', await privateKey(seed))
        const binary = atob(x.replaceAll('-', '+').replaceAll('_', '/'))
        if (binary.length === 32)
          learnPublicKey(
            seed,
            Uint8Array.from(binary, (byte) => byte.charCodeAt(0)),
          )
      }),
    )
  } catch {
    // no such algorithm, or no `subtle`: they are derived when they are asked for
  }
}

/** Nothing of a session is shown before it is checked: what does not come by then, in milliseconds, is done by the library. */
const patience = 2_000
let loading: Promise<typeof import('./native-verification.ts') | undefined> | undefined

/** True only when the library would say so, too, see `native-verification.ts`. Fetched for a session that has begun. */
export async function verifyNatively(signature: Signature): Promise<boolean> {
  loading ??= Promise.race([
    import('./native-verification.ts'),
    new Promise<undefined>((resolve) => setTimeout(resolve, patience)),
  ]).catch(() => undefined)
  const part = await loading
  if (!part) loading = undefined
  return part?.verifyNatively(signature) ?? false
}

function privateKey(seed: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', Uint8Array.from([...head, ...seed]), 'Ed25519', true, ['sign'])
}
