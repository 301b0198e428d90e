import { checkLinearizability, keyValueModel } from 'rxraft/testing'

const verdict = checkLinearizability(
  [
    { client: 'a', key: 'x', call: 10, return: 20, input: { _tag: 'Put', value: '1' }, output: null },
    { client: 'b', key: 'x', call: 30, return: 40, input: { _tag: 'Put', value: '2' }, output: null },
    { client: 'c', key: 'x', call: 15, return: null, input: { _tag: 'Append', value: '3' } }, // no answer came
    { client: 'd', key: 'x', call: 50, return: 60, input: { _tag: 'Get' }, output: '1' },
  ],
  keyValueModel,
)
export const text = verdict._tag === 'Illegal' ? verdict.text : verdict._tag
