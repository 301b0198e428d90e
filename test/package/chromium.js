import { done, history, names } from './browser.js'

/** What the page in a real browser tells: as page.cjs, to who shows it. */
const post = (path, body) => fetch(path, { method: 'POST', body })
addEventListener('error', ({ message }) => post('/failed', message))
done.then(
  () => post('/told', JSON.stringify({ ...names, history })),
  (error) => post('/failed', String(error)),
)
