/** The same small job for every way to load the package: three servers in memory agree on a command, and each hears of it. */
exports.agree = async ({ createRaft, memoryNetwork, memoryStorage, utf8 }) => {
  const network = memoryNetwork()
  const cluster = ['n1', 'n2', 'n3']
  const servers = cluster.map((id) => createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), codec: utf8 }))
  const heard = servers.map(({ apply$ }) => new Promise((resolve) => void apply$.subscribe(({ command }) => resolve(command))))
  const elected = new Promise((resolve) =>
    servers.forEach((server) => server.role$.subscribe((role) => role === 'Leader' && resolve(server))),
  )

  for (const server of servers) server.start()
  await (await elected).propose('agreed').result()
  const commands = await Promise.all(heard)
  for (const server of servers) server.close()

  if (commands.some((command) => command !== 'agreed')) throw new Error(`The servers applied ${JSON.stringify(commands)}.`)
}
