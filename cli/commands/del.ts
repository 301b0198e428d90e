import { withClient } from '../client/withClient.js'
import type { Command } from '../command.js'
import { done } from '../outcome.js'

/** `rxraft del KEY`. */
export const del: Command = ({ args: [key = ''], settings }) =>
  withClient(settings, async (client) => {
    const { revision, deleted } = await client.delete(key)
    return done({ key, revision, deleted }, deleted === 0 ? 'there was no such key\n' : `revision ${revision}\n`)
  })
