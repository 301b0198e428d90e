import { type Client, ClientError, type ClientFailure, createClient } from '../../streams/kv.js'
import { httpTransport } from '../../streams/node.js'
import { endpointOf, localPeers } from '../config/peer.js'
import type { Settings } from '../config/settings.js'
import { type Failure, type Outcome, refused, unknown } from '../outcome.js'

/** Whom to ask: the endpoints, else the servers of the configured cluster, else those of `rxraft start`. */
export const endpointsOf = ({ endpoints, peers, portBase = 7400 }: Settings): ReadonlyArray<string> =>
  endpoints ?? (peers ?? localPeers(portBase)).map(endpointOf)

/** Does `work` with a client, which is closed afterwards, and turns what the client fails with into an outcome. */
export const withClient = async (settings: Settings, work: (client: Client) => Promise<Outcome>): Promise<Outcome> => {
  const { timeoutMs } = settings
  const endpoints = endpointsOf(settings)
  const client = createClient({ transport: httpTransport(), endpoints, ...(timeoutMs !== undefined && { timeoutMs }) })
  try {
    return await work(client)
  } catch (error) {
    if (error instanceof ClientError) return outcomeOf(error.reason, endpoints)
    throw error
  } finally {
    client.close()
  }
}

/** Whether it was done, in the words of the exit codes. */
export const outcomeOf = (failure: ClientFailure, endpoints: ReadonlyArray<string>): Failure<'Refused' | 'Unknown'> => {
  switch (failure._tag) {
    case 'Refused':
      return refused(failure.refusal._tag, failure.message)
    case 'Unavailable':
      return refused(failure._tag, `${failure.message} Asked: ${endpoints.join(', ')}. \`rxraft status\` tells what each of them says.`)
    case 'Overloaded':
    case 'Closed':
      return refused(failure._tag, failure.message)
    case 'Indeterminate':
      return unknown(failure._tag, failure.message)
  }
}
