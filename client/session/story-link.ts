/** Links of stories: only `http` and `https` ever become one. */

/** Undefined for what leads nowhere, or somewhere a link must not. */
export function parseLink(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text.trim()) || !URL.canParse(text.trim())) return undefined
  const url = new URL(text.trim())
  return url.hostname ? url.href : undefined
}

/** `{key}` is where the story's key goes, as in `https://tracker.example/browse/{key}`. */
export function linkFromTemplate(template: string, key: string): string | undefined {
  if (key === '' || !template.includes('{key}')) return undefined
  const whole = key.replace(/\p{Surrogate}/gu, '\ufffd') // half a character has no place in an address
  return parseLink(template.replaceAll('{key}', () => encodeURIComponent(whole)))
}
