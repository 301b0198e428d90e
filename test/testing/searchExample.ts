import { checkedStep } from 'rxraft/core'
import { search, type SearchOptions } from 'rxraft/testing'

/** It forgets its vote, so it votes for every server that asks. */
const forgetful: SearchOptions['step'] = (server, event, at) => {
  const isAsked = event._tag === 'Received' && event.message._tag === 'RequestVote'
  return checkedStep(isAsked && server.role._tag === 'Follower' ? { ...server, votedFor: null } : server, event, at)
}

export const right = search({ servers: 3, terms: 1, entries: 0 })
export const wrong = search({ servers: 3, terms: 1, entries: 0, step: forgetful })
