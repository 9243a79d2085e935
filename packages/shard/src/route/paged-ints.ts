/**
 * Small integers by instance id.
 */
const bits = 10
const size = 1 << bits
const mask = size - 1

/** 0 where none was set. The ids of a flush are close together, wherever in the session that is. */
export class PagedInts {
  readonly #pages: Array<Int32Array | undefined> = []

  get(id: number): number {
    const page = this.#pages[id >>> bits]
    return page === undefined ? 0 : (page[id & mask] as number)
  }

  set(id: number, value: number): void {
    let page = this.#pages[id >>> bits]
    if (page === undefined) {
      page = new Int32Array(size)
      this.#pages[id >>> bits] = page
    }
    page[id & mask] = value
  }
}
