import { lastValueFrom } from 'rxjs'
import type { Command } from '../command.js'
import { localPeers } from '../config/peer.js'
import { homeOf, settleHomes } from '../server/directories.js'
import { host } from '../server/host.js'
import { tuningOf } from '../server/tuning.js'
import { refusedBy } from '../commandError.js'

/** `rxraft start`: n1, n2 and n3 in this process. */
export const start: Command = async ({ settings, json, io }) => {
  const { data = './data', portBase = 7400, cluster, hostNames } = settings
  const peers = localPeers(portBase)
  try {
    await lastValueFrom(settleHomes(data, peers, cluster), { defaultValue: null })
  } catch (error) {
    return refusedBy(error)
  }
  const setups = peers.map((self) => ({ self, peers, hostNames, cluster, directory: homeOf(data, self.id), tuning: tuningOf(settings) }))
  const elsewhere = portBase === 7400 ? '' : ` --port-base ${portBase}`
  const hint = `npx rxraft put greeting hello${elsewhere}`
  return host({ title: `three servers, data in ${data}`, hint, setups, json, io })
}
