import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'

const candidates = ['chromium', 'chromium-browser', 'google-chrome']
const isThere = (name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The browser that this machine has, or undefined. */
export const chromium = () => candidates.find(isThere)

const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const limitMs = 60_000

/** Shows a page with `script` in headless Chromium. Resolves with what the page posts to `/told`, or rejects with what it posts to `/failed`. */
export const inChromium = async (browser, script) => {
  const profile = mkdtempSync(join(tmpdir(), 'rxraft-chromium-'))
  const page = '<!doctype html><meta charset="utf-8"><title>rxraft</title><script src="/script.js"></script>'
  let server
  let child
  let timer
  try {
    return await new Promise((resolve, reject) => {
      server = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk) => (body += chunk))
        request.on('end', () => {
          if (request.url === '/told') resolve(body)
          if (request.url === '/failed') reject(new Error(`in the browser: ${body}`))
          const isScript = request.url === '/script.js'
          response.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8')
          response.end(isScript ? readFileSync(script) : page)
        })
      })
      server.listen(0, '127.0.0.1', () => {
        child = spawn(browser, [...quiet, `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/`], {
          stdio: 'ignore',
          detached: true,
        })
        child.on('error', reject)
        child.on('exit', (code) => reject(new Error(`${browser} ended with code ${code} and told nothing`)))
        timer = setTimeout(() => reject(new Error(`${browser} told nothing within ${limitMs} ms`)), limitMs)
      })
    })
  } finally {
    clearTimeout(timer)
    server.closeAllConnections()
    server.close()
    if (child?.pid !== undefined && child.exitCode === null) {
      child.removeAllListeners('exit')
      const ended = once(child, 'exit')
      process.kill(-child.pid, 'SIGKILL') // with all the processes that it has made
      await ended
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
