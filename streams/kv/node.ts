/** What of the key/value service runs in Node only: HTTP. */
export { kvHttp, type KvHttpError, type KvHttpOptions, type KvListening } from './http/http.js'
export { httpTransport, type HttpTransportOptions } from './http/httpTransport.js'
