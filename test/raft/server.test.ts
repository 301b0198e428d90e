import { describe, expect, it } from '@jest/globals'
import { draftOf, isUnchanged, type Server } from '../../src/raft/state/server.js'
import { leader } from './servers.js'

/** In each field a value of its own, so that a field that stands in the place of another is seen. */
const server = ((): Server => {
  const fields = Object.keys(leader()).map((field) => [field, { field }])
  return Object.fromEntries(fields) as unknown as Server
})()
const fields = Object.keys(server) as ReadonlyArray<keyof Server>

describe('no field of a server is forgotten', () => {
  it.each(fields)('%s: a server that differs in it alone is changed', (field) => {
    expect(isUnchanged(server, { ...server, [field]: { field } })).toBe(false)
    expect(isUnchanged({ ...server, [field]: { field } }, server)).toBe(false)
  })

  it('a copy differs in nothing', () => {
    expect(isUnchanged(server, { ...server })).toBe(true)
  })

  it.each(fields)('%s: the draft holds the same value', (field) => {
    expect(draftOf(server)[field]).toBe(server[field])
  })

  it('the draft has the fields of a server in their order, and no others', () => {
    expect(Object.keys(draftOf(leader()))).toEqual(Object.keys(leader()))
  })
})
