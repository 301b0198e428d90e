/**
 * How commands become bytes and bytes commands. Every server of a cluster must use the same one:
 * `decode` meets what another server's `encode` made, also years later, from the log.
 *
 * @example
 * const numbers: Codec<number> = {
 *   encode: (n) => new TextEncoder().encode(String(n)),
 *   decode: (text) => Number(new TextDecoder().decode(text)),
 * }
 */
export interface Codec<C> {
  /** The bytes of a command. */
  readonly encode: (command: C) => Uint8Array
  /** The command of those bytes. */
  readonly decode: (bytes: Uint8Array) => C
}

/**
 * Bytes as they are; the default.
 *
 * @example
 * createRaft({ id: 'n1', network, storage, codec: bytes }).propose(Uint8Array.of(1, 2, 3))
 */
export const bytes: Codec<Uint8Array> = { encode: (command) => command, decode: (command) => command }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // a text may begin with one

/**
 * Text as UTF-8.
 *
 * @example
 * createRaft({ id: 'n1', network, storage, codec: utf8 }).propose('hello')
 */
export const utf8: Codec<string> = { encode: (text) => encoder.encode(text), decode: (command) => decoder.decode(command) }

/**
 * Any JSON value. What is proposed must survive `JSON.stringify`; its type is taken on trust.
 *
 * @example
 * createRaft({ id: 'n1', network, storage, codec: json<{ add: number }>() })
 */
export const json = <C>(): Codec<C> => ({
  encode: (value) => {
    const text = JSON.stringify(value) as string | undefined
    // Its bytes would be none, which no server of the cluster could decode, now or after a restart.
    if (text === undefined) throw new TypeError(`${String(value)} has no JSON: propose a value that has.`)
    return encoder.encode(text)
  },
  decode: (command) => JSON.parse(decoder.decode(command)) as C,
})
