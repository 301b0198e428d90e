/**
 * An option has a value that cannot work; nothing was started.
 *
 * @example
 * try {
 *   createRaft({ id: 'N 1', network, storage })
 * } catch (error) {
 *   if (error instanceof InvalidOption) console.error(error.option, error.message)
 * }
 */
export class InvalidOption extends Error {
  override readonly name = 'InvalidOption'
  constructor(
    readonly option: string,
    reason: string,
  ) {
    super(`${option}: ${reason}`)
  }
}
