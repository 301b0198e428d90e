import { checkedStep } from 'rxraft/core'
import { search, type SearchOptions } from 'rxraft/testing'

/** Whoever it voted for before: it votes for who asks now. */
const forgetful: SearchOptions['step'] = (server, event, at) => {
  const isAsked = event._tag === 'Received' && event.message._tag === 'RequestVote'
  return checkedStep(isAsked && server.role._tag === 'Follower' ? { ...server, votedFor: null } : server, event, at)
}

export const right = search({ servers: 3, terms: 1, entries: 0 })
export const wrong = search({ servers: 3, terms: 1, entries: 0, step: forgetful })
