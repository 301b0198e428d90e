import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpContext } from './httpContext.js'

/** Bounds the connections of a server, in all and from one address; one more is closed at once, and counted. */
export const boundConnections = (server: Server, { options, counted }: HttpContext): void => {
  const byAddress = new Map<string, number>()

  const onConnection = (socket: Socket): void => {
    const address = socket.remoteAddress ?? ''
    const already = byAddress.get(address) ?? 0
    if (already >= options.maxConnectionsPerAddress) {
      counted.connectionsRefused.maxConnectionsPerAddress++
      socket.destroy()
      return
    }
    byAddress.set(address, already + 1)
    counted.connections++
    socket.once('close', () => {
      counted.connections--
      const left = (byAddress.get(address) ?? 1) - 1
      if (left > 0) byAddress.set(address, left)
      else byAddress.delete(address)
    })
  }

  server.maxConnections = options.maxConnections
  server.on('drop', () => counted.connectionsRefused.maxConnections++)
  server.on('connection', onConnection)
}
