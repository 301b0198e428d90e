import type { Transport } from '../transport.js'

export interface HttpTransportOptions {
  /** Connections to one server that are kept for the next request. Default 8. */
  readonly maxFreeSockets?: number
}

/** Reaches servers over HTTP: endpoints are `http://host:port`. */
export const httpTransport = (_options: HttpTransportOptions = {}): Transport => {
  throw new Error('The body follows.')
}
