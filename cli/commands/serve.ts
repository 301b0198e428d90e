import { either } from 'fp-ts'
import type { Command } from '../command.js'
import { inUrl } from '../config/peer.js'
import { host } from '../server/host.js'
import { membershipOf } from '../server/member.js'
import { tuningOf } from '../server/tuning.js'

/** `rxraft serve`: one server in this process. */
export const serve: Command = async ({ settings, json, io }) => {
  const membership = membershipOf(settings)
  if (either.isLeft(membership)) return membership.left
  const { self, peers, directory } = membership.right
  const { listen, hostNames, cluster } = settings
  const title = `${self.id} of ${peers.length} servers, data in ${directory}`
  const hint = `npx rxraft put greeting hello --endpoints ${inUrl(self.host)}:${self.httpPort}`
  return host({ title, hint, setups: [{ self, peers, directory, listen, hostNames, cluster, tuning: tuningOf(settings) }], json, io })
}
