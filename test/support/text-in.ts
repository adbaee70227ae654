/** All text that a value holds at any depth, an error's hidden parts included, bytes read as UTF-8. */
export function textIn(value: unknown): string {
  const seen = new Set<unknown>()
  const texts: string[] = []
  collect(value)
  return texts.join('\n')

  function collect(part: unknown): void {
    if (part === null || part === undefined || seen.has(part)) return
    if (typeof part !== 'object') {
      texts.push(String(part))
      return
    }
    seen.add(part)
    if (part instanceof Uint8Array || part instanceof ArrayBuffer) {
      texts.push(new TextDecoder().decode(part))
      return
    }
    if (part instanceof Map) part.forEach((item, key) => [key, item].forEach(collect))
    for (const key of Reflect.ownKeys(part)) {
      texts.push(String(key))
      collect((part as Record<PropertyKey, unknown>)[key])
    }
  }
}
