import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpContext } from './httpContext.js'

export type Handle = (req: IncomingMessage, res: ServerResponse) => void

/**
 * Carries requests that are pipelined on one connection out one after another: an answer is made when the answer before
 * it is sent. Otherwise a client that reads nothing could make us hold all of its answers. A connection is closed where
 * more than `maxPipelined` requests would wait on it, or more than `maxRequests` on all connections.
 */
export const pipelined = ({ options: { maxPipelined, maxRequests }, counted }: HttpContext, handle: Handle): Handle => {
  const waiting = new WeakMap<Socket, number>()
  let allWaiting = 0

  const waitingOn = (socket: Socket): number => {
    const known = waiting.get(socket)
    if (known !== undefined) return known
    waiting.set(socket, 0)
    socket.once('close', () => (allWaiting -= waiting.get(socket) ?? 0))
    return 0
  }
  const count = (socket: Socket, change: 1 | -1): void => {
    waiting.set(socket, waitingOn(socket) + change)
    allWaiting += change
  }

  return (req, res) => {
    if (res.socket !== null) return handle(req, res)
    const { socket } = req
    if (socket.destroyed) return
    if (waitingOn(socket) >= maxPipelined || allWaiting >= maxRequests) {
      counted.connectionsRefused.maxPipelined++
      socket.destroy()
      return
    }
    count(socket, 1)
    res.once('socket', () => {
      count(socket, -1)
      handle(req, res)
    })
  }
}
