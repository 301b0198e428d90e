/** An option has a value that cannot work; nothing was started. */
export class InvalidOption extends Error {
  override readonly name = 'InvalidOption'
  constructor(
    readonly option: string,
    reason: string,
  ) {
    super(`${option}: ${reason}`)
  }
}
