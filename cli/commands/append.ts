import { either } from 'fp-ts'
import { valueOf } from '../client/values.js'
import { withClient } from '../client/withClient.js'
import type { Command } from '../command.js'
import { done } from '../outcome.js'

/** `rxraft append KEY VALUE`. */
export const append: Command = async ({ args: [key = '', argument = ''], settings, io }) => {
  const value = await valueOf(argument, io)
  if (either.isLeft(value)) return value.left
  return withClient(settings, async (client) => {
    const { revision } = await client.append(key, value.right)
    return done({ key, revision }, `revision ${revision}\n`)
  })
}
