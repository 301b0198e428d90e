/**
 * Numbers for values: values with equal keys have the same number. Numbers begin with 1, so that 0 can stand for none.
 */
export class Interner<A> {
  private readonly numbers = new Map<string, number>()
  private readonly values: A[] = []

  get size(): number {
    return this.values.length
  }

  /** The number of `value`; `isNew` where it had none. */
  intern(key: string, value: () => A): number {
    let number = this.numbers.get(key)
    if (number === undefined) {
      this.values.push(value())
      this.numbers.set(key, (number = this.values.length))
    }
    return number
  }

  at(number: number): A {
    return this.values[number - 1]!
  }
}
