import type { Command } from '../command.js'
import { done } from '../outcome.js'
export const status: Command = () => Promise.resolve(done())
