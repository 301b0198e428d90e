/** A queue whose ends cost the same at any length. */
export class Fifo<T> {
  private items: T[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  first(): T | undefined {
    return this.items[this.head]
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): void {
    if (++this.head < 4_096 && this.head < this.items.length) return
    this.items = this.items.slice(this.head)
    this.head = 0
  }
}
