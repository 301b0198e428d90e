/** What of the key/value service runs in Node only: HTTP. */
export { kvHttp, type KvHttpError, type KvListening } from './http/http.js'
export type { KvHttpOptions, KvHttpTuning } from './http/options.js'
export { type HttpTransport, httpTransport, type HttpTransportOptions } from './http/httpTransport.js'
