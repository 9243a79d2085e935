/**
 * Small integers by instance id.
 */
const bits = 10
const size = 1 << bits
const mask = size - 1

/** Ints of a page at first: so few stand in the array itself, without memory of their own. */
const least = 16

/** 0 where none was set. The ids of a flush are close together, wherever in the session that is. */
export class PagedInts {
  /** Each as long as it has to be. */
  readonly #pages: Array<Int32Array | undefined> = []

  get(id: number): number {
    const page = this.#pages[id >>> bits]
    const at = id & mask
    return page === undefined || at >= page.length ? 0 : (page[at] as number)
  }

  set(id: number, value: number): void {
    let page = this.#pages[id >>> bits]
    const at = id & mask
    if (page === undefined || at >= page.length) {
      page = grown(page, at)
      this.#pages[id >>> bits] = page
    }
    page[at] = value
  }
}

const grown = (page: Int32Array | undefined, at: number): Int32Array => {
  let length = page?.length ?? least
  while (length <= at) length *= 2
  const longer = new Int32Array(length)
  if (page !== undefined) longer.set(page)
  return longer
}
