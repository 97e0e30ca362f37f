/** What we use of it; the types that others wrote for it are of an earlier version. */
declare module 'sodium-native' {
  /** `signature` of 64 bytes and `publicKey` of 32, which it does not check. */
  export function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean
  const sodium: { readonly crypto_sign_verify_detached: typeof crypto_sign_verify_detached }
  export default sodium
}
