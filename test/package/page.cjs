/** Runs the bundle as a page would: with the globals of a browser and none of Node's. */
const { readFileSync } = require('node:fs')
const { createContext, runInContext } = require('node:vm')

const { AbortController, MessageChannel, TextDecoder, TextEncoder, URL, clearInterval, clearTimeout, console, crypto, performance } =
  globalThis
const { queueMicrotask, setInterval, setTimeout, structuredClone } = globalThis
const page = createContext({
  ...{ AbortController, MessageChannel, TextDecoder, TextEncoder, URL, clearInterval, clearTimeout, console, crypto, performance },
  ...{ queueMicrotask, setInterval, setTimeout, structuredClone },
})

const { names, done, history } = runInContext(`${readFileSync('bundle.js', 'utf8')}; bundle`, page)
done.then(() => {
  console.log(JSON.stringify({ ...names, history }))
  process.exit() // an open MessageChannel, which a page may have, keeps Node alive
})
