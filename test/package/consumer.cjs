const rxraft = require('rxraft')
const node = require('rxraft/node')
const lab = require('rxraft/lab')
const testing = require('rxraft/testing')
const { agree } = require('./agree.cjs')

agree(rxraft).then(() => {
  console.log(JSON.stringify({ index: Object.keys(rxraft), node: Object.keys(node), testing: Object.keys(testing), lab: Object.keys(lab) }))
})
