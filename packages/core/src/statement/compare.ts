/**
 * Values compared as databases compare them, as far as memory can tell.
 */
/**
 * Texts by their code points, which is the order of UTF-8's bytes; as for `sort`. UTF-16 has it but for surrogates, which
 * stand for code points above all others and are units below those from U+E000 on.
 *
 * @category combinators
 */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return ordered(x) - ordered(y)
  }
  return a.length - b.length
}

const ordered = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Bytes, as for `sort`. @category combinators */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
