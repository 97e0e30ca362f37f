/** A line of a list, without what makes it one. */
export function withoutMark(line: string): string {
  return line
    .replace(
      /^\s*(?:(?:[-*+•‣◦▪▫●○■□·–—]\ufe0e?|\d{1,4}[.)]|\(\d{1,4}\))\s+)?(?:(?:\[[ xX~]?\]|[☐☑☒✓✔✅])\ufe0f?\s+)?/u,
      '',
    )
    .trim()
}
