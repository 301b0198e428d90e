import { either } from 'fp-ts'
import type { Key } from '../../../src/kv/key.js'
import { type HttpAnswer, problem } from './answer.js'
import { decodePiece, splitUrl } from './path.js'

/** The target of a request, by its method and path. `HEAD` is a `GET` whose body is not sent. */
export type Route =
  | { readonly _tag: 'Key'; readonly verb: 'GET' | 'PUT' | 'DELETE' | 'APPEND'; readonly key: Key; readonly query: string }
  | { readonly _tag: 'Range' | 'Watch' | 'Session' | 'Batch' | 'Status' | 'Metrics' | 'Health'; readonly query: string }
  | { readonly _tag: 'None'; readonly answer: HttpAnswer }

const fixed: Readonly<Record<string, { readonly _tag: Exclude<Route['_tag'], 'Key' | 'None'>; readonly method: 'GET' | 'POST' }>> = {
  '/v1/kv': { _tag: 'Range', method: 'GET' },
  '/v1/watch': { _tag: 'Watch', method: 'GET' },
  '/v1/session': { _tag: 'Session', method: 'POST' },
  '/v1/batch': { _tag: 'Batch', method: 'POST' },
  '/v1/status': { _tag: 'Status', method: 'GET' },
  '/metrics': { _tag: 'Metrics', method: 'GET' },
  '/healthz': { _tag: 'Health', method: 'GET' },
}

const keyPrefix = '/v1/kv/'

const none = (answer: HttpAnswer): Route => ({ _tag: 'None', answer })

const notAllowed = (allow: string): Route => none(problem(405, 'MethodNotAllowed', `This path takes ${allow}: use one of them.`, { allow }))

export const routeOf = (method: string, url: string): Route => {
  const { path, query } = splitUrl(url)
  if (path.startsWith(keyPrefix)) return keyRoute(method, path.slice(keyPrefix.length), query)
  const route = Object.hasOwn(fixed, path) ? fixed[path] : undefined
  if (route === undefined) return none(problem(404, 'NoSuchPath', 'There is no such path: docs/http.md lists those there are.'))
  if (route.method === 'POST') return method === 'POST' ? { _tag: route._tag, query } : notAllowed('POST')
  return method === 'GET' || method === 'HEAD' ? { _tag: route._tag, query } : notAllowed('GET, HEAD')
}

const keyRoute = (method: string, rest: string, query: string): Route => {
  const slash = rest.indexOf('/')
  const piece = slash < 0 ? rest : rest.slice(0, slash)
  const after = slash < 0 ? '' : rest.slice(slash)
  if (after !== '' && after !== '/append')
    return none(problem(400, 'BadKey', 'The key has a slash: write it as %2F, so that it is told from the path.'))
  const key = decodePiece(piece)
  if (either.isLeft(key)) return none(problem(400, 'BadKey', `The key ${key.left}`))
  const verb = after === '' ? verbOf(method) : method === 'POST' ? 'APPEND' : null
  if (verb === null) return notAllowed(after === '' ? 'GET, HEAD, PUT, DELETE' : 'POST')
  return { _tag: 'Key', verb, key: key.right, query }
}

const verbOf = (method: string): 'GET' | 'PUT' | 'DELETE' | null => {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'GET'
    case 'PUT':
    case 'DELETE':
      return method
    default:
      return null
  }
}
