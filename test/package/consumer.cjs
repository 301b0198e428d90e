const { agree } = require('./agree.cjs')

const entries = {
  index: require('rxraft'),
  core: require('rxraft/core'),
  kv: require('rxraft/kv'),
  node: require('rxraft/node'),
  testing: require('rxraft/testing'),
  lab: require('rxraft/lab'),
}

agree(entries.index).then(() => {
  console.log(JSON.stringify(Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry)]))))
})
