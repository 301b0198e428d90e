import * as t from 'io-ts'

/** A host as a name or as an address, in printable ASCII without spaces; at most 253 bytes, as in DNS. */
export const Host = t.refinement(t.string, (host) => /^[!-~]{1,253}$/.test(host), 'Host')

export const Port = t.refinement(t.number, (port) => Number.isInteger(port) && port >= 1 && port <= 65_535, 'Port')

/**
 * The codec of an `Address`.
 *
 * @example
 * const address: Address = { host: '10.0.0.1', port: 7501 }
 */
export const Address = t.readonly(t.strict({ host: Host, port: Port }), 'Address')
/** Where a server is reached. */
export type Address = t.TypeOf<typeof Address>

export const isSameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port
