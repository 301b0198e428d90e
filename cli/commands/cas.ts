import { either } from 'fp-ts'
import { itemDetails, valueOf, wholeOption } from '../client/values.js'
import { withClient } from '../client/withClient.js'
import type { Command } from '../command.js'
import { done, refused, usage } from '../outcome.js'

/** `rxraft cas KEY VALUE --revision R`. */
export const cas: Command = async (call) => {
  const {
    args: [key = '', argument = ''],
    settings,
    io,
  } = call
  const revision = wholeOption(call, 'revision', null)
  if (either.isLeft(revision)) return revision.left
  const expected = revision.right
  if (expected === null)
    return usage(
      'Usage',
      'Which revision must the key have? Say --revision N, as `rxraft get --json` tells it; 0 where there must be no such key.',
    )
  const value = await valueOf(argument, io)
  if (either.isLeft(value)) return value.left
  return withClient(settings, async (client) => {
    const answer = await client.compareAndSet(key, value.right, { revision: expected })
    if (answer._tag === 'Written') return done({ key, revision: answer.revision }, `revision ${answer.revision}\n`)
    const { item } = answer
    const there = item === null ? 'there is no such key' : `it is at revision ${item.modRevision}`
    return refused('Conflict', `${key} was not set: ${there}, not at ${expected}. Read it, and try again with what is there.`, {
      key,
      item: item === null ? null : itemDetails(item),
    })
  })
}
